"""The handler as one of the programs that do a fan-in: it gets what they get, and its results are timed."""

from __future__ import annotations

from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.peers.run import PeerRun, deliveries, identity_of

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.workload import Workload
    from els_core.domain.arrivals import Arrival


def run_handler(
    bench: Bench, workload: Workload, sqs_batch: int, per_second: float | None, flush_before: int | None
) -> PeerRun:
    """Give the handler what the peers are given, and read the final results from the bus."""
    servers = bench.servers
    arrivals = _same_arrivals(workload)
    servers.reset(workload)
    missing = {one.batch_id: len(one.essay_ids) for one in workload.registrations}
    seen: set[tuple[str, str]] = set()
    complete: dict[str, float] = {}
    batches = [arrivals[start : start + sqs_batch] for start in range(0, len(arrivals), sqs_batch)]
    calls = [bench.handler.prepare([batch]) for batch in batches]
    start = monotonic()
    taken = 0
    for call, batch in zip(calls, batches, strict=True):
        if flush_before is not None and taken <= flush_before < taken + len(batch):
            with servers.valkey.client() as client:
                client.flushall()
        if per_second:
            Event().wait(max(0.0, start + taken / per_second - monotonic()))
        for arrival in batch:
            key = (arrival.batch_id, identity_of(arrival))
            if key not in seen:
                seen.add(key)
                missing[arrival.batch_id] -= 1
                if not missing[arrival.batch_id]:
                    complete[arrival.batch_id] = monotonic()
        call()
        taken += len(batch)
    finals = servers.bus.take_summary()["times"]
    return PeerRun(len(arrivals), len(missing), start, complete, finals)


def _same_arrivals(workload: Workload) -> list[Arrival]:
    kept = set(deliveries(workload))
    return [one for one in workload.arrivals if (one.batch_id, identity_of(one)) in kept]
