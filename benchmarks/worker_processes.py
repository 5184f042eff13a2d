"""Runs the handler in many processes at the same moment, as Lambda does, and reads what they log."""

from __future__ import annotations

import json
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from multiprocessing import get_context
from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.candidates.handler import Handler
from els_core import bootstrap
from els_core.application.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.synchronize import Barrier

    from els_core.domain.arrivals import Arrival

# The fork server imports the code once and forks every worker from that.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "sqlalchemy.dialects.postgresql.pg8000"])
KILOBYTE = 1_024
START_SECONDS = 120


@dataclass(frozen=True)
class WorkerRun:
    """What one worker did: from when to when, the seconds of each invocation and of its store calls."""

    start: float
    end: float
    invocations: Sequence[float]
    redis: Sequence[float]
    postgres: Sequence[float]
    peak_bytes: int


_start_of_this_process: list[Barrier] = []


def run_workers(shares: Sequence[Sequence[Sequence[Arrival]]]) -> list[WorkerRun]:
    """Handle each share of SQS batches in a process of its own; all start at the same moment."""
    arguments = (PROCESSES.Barrier(len(shares)),)
    with ProcessPoolExecutor(len(shares), PROCESSES, initializer=_keep, initargs=arguments) as pool:
        return list(pool.map(_work, shares))


def split(sqs_batches: Sequence[Sequence[Arrival]], workers: int) -> list[Sequence[Sequence[Arrival]]]:
    """Deal SQS batches to workers in turn."""
    return [sqs_batches[number::workers] for number in range(workers)]


def _keep(start: Barrier) -> None:
    _start_of_this_process.append(start)


def _work(sqs_batches: Sequence[Sequence[Arrival]]) -> WorkerRun:
    """Connect, wait for the others, and handle the SQS batches one by one."""
    log = StringIO()
    handler = Handler(log)
    calls = [handler.prepare([batch]) for batch in sqs_batches]
    container = bootstrap.container()
    container.repository.snapshots(["no-such-batch"])
    container.redis.ping()
    container.post_commit  # noqa: B018 - builds the client of the bus
    [start] = _start_of_this_process
    start.wait(START_SECONDS)
    times = [monotonic()]
    for call in calls:
        call()
        times.append(monotonic())
    handler.close()
    return WorkerRun(
        times[0],
        times[-1],
        [end - begin for begin, end in pairwise(times)],
        _logged(log.getvalue(), Metric.TIME_IN_REDIS),
        _logged(log.getvalue(), Metric.TIME_IN_POSTGRES),
        peak_bytes(),
    )


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KILOBYTE


def _logged(log: str, metric: Metric) -> list[float]:
    """Return the seconds of a metric, in the lines that CloudWatch would read."""
    name = metric.metric_name
    lines = (json.loads(line) for line in log.splitlines() if f'"{name}"' in line)
    return [value / 1_000 for line in lines for value in line[name]]
