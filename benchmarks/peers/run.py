"""Gives each peer the same work, and counts its final results."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.peers.protocol import VARIABLE, Job
from dev.programs.process import free_port, run_to_end
from dev.programs.tools import ROOT
from els_core.domain.arrivals import Content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.peers.catalogue import Peer
    from benchmarks.servers import Servers
    from benchmarks.workload import Workload
    from els_core.domain.arrivals import Arrival

RUN_SECONDS = 300
SHORT, LONG = 4.0, 20.0  # seconds without a final result until no more are expected; some queue up the work


@dataclass(frozen=True)
class PeerRun:
    """What a peer did: when final results came, and when the last arrival that a batch needs was given."""

    arrivals: int
    batches: int
    start: float
    complete: Mapping[str, float]
    finals: Mapping[str, list[float]]

    @property
    def per_second(self) -> float:
        """Return the arrivals per second, up to the last batch's first final result; 0 without any."""
        last = max((min(times) for times in self.finals.values()), default=self.start)
        return self.arrivals / (last - self.start) if last > self.start else 0.0

    @property
    def exactly_one(self) -> int:
        """Return how many batches had exactly one final result, and not before their last arrival."""
        return sum(
            len(times) == 1 and times[0] >= self.complete.get(batch, 0.0)
            for batch, times in self.finals.items()
        )

    @property
    def early(self) -> int:
        """Return how many batches had a final result before the last arrival that they need."""
        return sum(min(times) < self.complete.get(batch, 0.0) for batch, times in self.finals.items())

    @property
    def histogram(self) -> Counter[int]:
        """Return how many batches had no final result, one, two and so on."""
        counts = Counter(len(times) for times in self.finals.values())
        counts[0] += self.batches - len(self.finals)
        return +counts

    @property
    def latencies(self) -> list[float]:
        """Return the seconds from the last arrival that a batch needs to its first final result."""
        return [
            min(self.finals[batch]) - given
            for batch, given in self.complete.items()
            if batch in self.finals and min(self.finals[batch]) >= given
        ]


def deliveries(workload: Workload) -> list[tuple[str, str]]:
    """Return batch and identity of each arrival that has a slot, duplicates too; a failure uses its slot.

    The peers know no excess: theirs are fan-ins of a fixed size.
    """
    slots = {one.batch_id: len(one.essay_ids) for one in workload.registrations}
    taken: dict[str, set[str]] = {batch_id: set() for batch_id in slots}
    kept = []
    for arrival in workload.arrivals:
        identity, own = identity_of(arrival), taken[arrival.batch_id]
        if identity in own or len(own) < slots[arrival.batch_id]:
            own.add(identity)
            kept.append((arrival.batch_id, identity))
    return kept


def identity_of(arrival: Arrival) -> str:
    """Return what makes an arrival a duplicate of another of its batch."""
    return arrival.text_storage_id if isinstance(arrival, Content) else f"failed-{arrival.file_upload_id}"


def run_peer(
    peer: Peer,
    workload: Workload,
    servers: Servers,
    *,
    per_second: float | None = None,
    flush_before: int | None = None,
) -> PeerRun:
    """Run a peer on emptied servers, in a process group that ends with this call."""
    servers.empty()
    arrivals = deliveries(workload)
    with TemporaryDirectory(prefix="els-peer-") as folder:
        job = Job(
            batches={one.batch_id: len(one.essay_ids) for one in workload.registrations},
            arrivals=arrivals,
            redis_url=servers.valkey.url,
            postgres_url=servers.url_for_others(),
            finals=str(Path(folder, "finals")),
            answer=str(Path(folder, "answer.json")),
            ports=tuple(free_port() for _ in range(4)),
            patience=SHORT if flush_before or per_second else LONG,
            program=peer.server,
            per_second=per_second,
            flush_before=flush_before,
        )
        path = Path(folder, "job.json")
        path.write_text(json.dumps(asdict(job)), "utf-8")
        variables = peer.variables | {VARIABLE: str(path)}
        run_to_end(peer.command, RUN_SECONDS, cwd=ROOT, environment=variables)
        answer = json.loads(Path(job.answer).read_text("utf-8"))
    finals = {batch: times for batch, times in answer["finals"].items() if batch in job.batches}
    return PeerRun(len(arrivals), len(job.batches), answer["start"], answer["complete"], finals)
