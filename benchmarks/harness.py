"""The harness: every implementation does the same work, in alternating order, on emptied stores."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from benchmarks.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.servers import Servers
    from benchmarks.workload import WorkloadSize
    from els_core.domain.arrivals import Arrival

HANDLER, REDIS_ONLY, REDIS_AND_POSTGRES = "handler", "(a) Redis only", "(b) Redis and Postgres"
TOGETHER = "(b') the same, together"
ONE_AT_A_TIME = "one message at a time"
BASELINES = (REDIS_AND_POSTGRES, TOGETHER, REDIS_ONLY, ONE_AT_A_TIME)
FEW_SLOTS = 2_000
SMALL = 10  # SQS batches up to this size are also handled one message at a time


class Implementation(Protocol):
    """One way to do the work: the candidate or a baseline."""

    def prepare(self, sqs_batches: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return the call that is timed; it handles all SQS batches."""
        ...


@dataclass(frozen=True)
class BenchmarkCase:
    """What is measured: a workload of this size, in SQS batches of this size, so many rounds."""

    size: WorkloadSize
    sqs_batch_size: int
    rounds: int


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, with the lowest and the highest value."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class BenchmarkResult:
    """Arrivals per second of each implementation, and the handler's share of each baseline's rate.

    A share compares two runs of the same round.
    """

    case: BenchmarkCase
    arrivals: int
    rates: Mapping[str, Spread]
    shares: Mapping[str, Spread]


def measure_case(
    case: BenchmarkCase, implementations: Mapping[str, Implementation], servers: Servers
) -> BenchmarkResult:
    """Run all rounds; the first one is a warm-up and does not count."""
    workload = Workload.generate(case.size)
    sqs_batches = workload.sqs_batches(case.sqs_batch_size)
    rounds: list[dict[str, float]] = []
    for number in range(case.rounds + 1):
        order = sorted(_measured(case, implementations), reverse=bool(number % 2))
        rounds.append(
            {name: _seconds(name, implementations[name], workload, sqs_batches, servers) for name in order}
        )
    counted = rounds[1:]
    count = len(workload.arrivals)
    return BenchmarkResult(
        case,
        count,
        {name: spread_of([count / seconds[name] for seconds in counted]) for name in counted[0]},
        {
            name: spread_of([seconds[name] / seconds[HANDLER] for seconds in counted])
            for name in BASELINES
            if name in counted[0]
        },
    )


def _measured(case: BenchmarkCase, implementations: Mapping[str, Implementation]) -> list[str]:
    """Return who takes part: one message at a time is as slow at every size, so only at small ones."""
    is_small = case.sqs_batch_size <= SMALL and case.size.total_slots <= FEW_SLOTS
    return [name for name in implementations if is_small or name != ONE_AT_A_TIME]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _seconds(
    name: str,
    implementation: Implementation,
    workload: Workload,
    sqs_batches: Sequence[Sequence[Arrival]],
    servers: Servers,
) -> float:
    """Time one run, and raise unless it has done all the work."""
    servers.reset(workload)
    run = implementation.prepare(sqs_batches)
    start = perf_counter()
    run()
    seconds = perf_counter() - start
    if name == REDIS_ONLY:
        servers.check_proposals(workload)
    else:
        servers.check_results(workload)
    return seconds


def spread_of(values: Sequence[float]) -> Spread:
    """Return the spread of the rounds."""
    return Spread(median(values), min(values), max(values))
