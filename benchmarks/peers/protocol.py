"""What a peer's program is given and what it answers.

It runs in the peer's environment, so it needs the standard library alone. Times are those of the monotonic
clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

VARIABLE = "PEER_JOB"  # names the file of the job
QUIET_SECONDS = 2.0  # how long a second final result may take, and what was delivered to be processed


@dataclass(frozen=True)
class Job:
    """The work: batches with their slots, and arrivals as pairs of batch and identity, duplicates among them.

    Each final result is a line of the file `finals`. When no new one comes for `patience` seconds, what
    happened is written to `answer`.

    Arrivals come at `per_second`, or as fast as the peer takes them. Before the arrival number `flush_before`
    Redis loses all that it holds.
    """

    batches: dict[str, int]
    arrivals: list[tuple[str, str]]
    redis_url: str
    postgres_url: str
    finals: str
    answer: str
    ports: tuple[int, ...]
    patience: float = 4.0
    program: str | None = None
    per_second: float | None = None
    flush_before: int | None = None

    @classmethod
    def read(cls) -> Job:
        """Return the job of this process."""
        return cls(**json.loads(Path(os.environ[VARIABLE]).read_text("utf-8")))

    def announce(self, batch: str) -> None:
        """Note that a batch had a final result; many processes may do so at the same time."""
        with Path(self.finals).open("a", encoding="utf-8") as file:
            file.write(f"{batch} {monotonic()}\n")

    def announced(self) -> dict[str, list[float]]:
        """Return when each batch had final results."""
        times: dict[str, list[float]] = {}
        path = Path(self.finals)
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            batch, time = line.split()
            times.setdefault(batch, []).append(float(time))
        return times


def drive(job: Job, deliver: Callable[[str, str], object], *, in_flight: int = 1) -> None:
    """Deliver all arrivals, wait for the final results, and write what happened as JSON."""
    missing = dict(job.batches)
    seen: set[tuple[str, str]] = set()
    complete: dict[str, float] = {}
    start = monotonic()
    with ThreadPoolExecutor(in_flight) as threads:
        running: list[Future[object]] = []
        for number, arrival in enumerate(job.arrivals):
            if number == job.flush_before:
                [one.result() for one in running]
                _lose_everything(job)
            if job.per_second:
                _wait(start + number / job.per_second - monotonic())
            batch = arrival[0]
            if tuple(arrival) not in seen:
                seen.add((batch, arrival[1]))
                missing[batch] -= 1
                if not missing[batch]:
                    complete[batch] = monotonic()
            if in_flight == 1:
                deliver(*arrival)
            else:
                running.append(threads.submit(deliver, *arrival))
        [one.result() for one in running]
    _wait_for_finals(job)
    answer = {"start": start, "complete": complete, "finals": job.announced()}
    Path(job.answer).write_text(json.dumps(answer), "utf-8")


def _wait_for_finals(job: Job) -> None:
    """Return when nothing more is announced; a second final result may come after the first."""
    last, since, quiet = -1, monotonic(), 0.0
    while monotonic() - since < quiet or last < 0:
        announced = job.announced()
        quiet = QUIET_SECONDS if job.batches.keys() <= announced.keys() else job.patience
        found = sum(map(len, announced.values()))
        if found != last:
            last, since = found, monotonic()
        _wait(0.05)


def _lose_everything(job: Job) -> None:
    """Empty Redis when what was delivered so far has been processed."""
    _wait(QUIET_SECONDS)
    url = urlsplit(job.redis_url)
    with socket.create_connection((str(url.hostname), int(url.port or 6379)), 10) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        connection.recv(64)


def _wait(seconds: float) -> None:
    if seconds > 0:
        Event().wait(seconds)
