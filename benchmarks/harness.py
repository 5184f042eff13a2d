"""Rounds: the same work by every side, in alternating order, on stores emptied before each."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from benchmarks.workload import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.servers import Stores
    from benchmarks.workload import Shape
    from els_core.domain.arrivals import Arrival


class Side(Protocol):
    """One way to do the work."""

    def over(self, chunks: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return what is to be timed."""
        ...


@dataclass(frozen=True)
class Task:
    """What is measured: a trace of this shape, handed over in chunks of this size."""

    shape: Shape
    chunk: int
    rounds: int


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, with their extremes."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Figures:
    """Arrivals per second of each side, and the whole handler's share of each bare loop, round by round."""

    task: Task
    arrivals: int
    rates: Mapping[str, Spread]
    shares: Mapping[str, Spread]


WHOLE, SCRIPTS, BARE = "whole handler", "(a) scripts", "(b) scripts and Postgres"


def measure(task: Task, sides: Mapping[str, Side], stores: Stores) -> Figures:
    """Run one round to warm up and then those that count."""
    trace = Trace.of(task.shape)
    chunks = trace.chunks(task.chunk)
    rounds = []
    for number in range(task.rounds + 1):
        order = sorted(sides, reverse=bool(number % 2))
        rounds.append({name: _seconds(sides[name], name, trace, chunks, stores) for name in order})
    counted = rounds[1:]
    count = len(trace.arrivals)
    return Figures(
        task,
        count,
        {name: _spread([count / seconds[name] for seconds in counted]) for name in sides},
        {name: _spread([one[name] / one[WHOLE] for one in counted]) for name in (SCRIPTS, BARE)},
    )


def _seconds(
    side: Side, name: str, trace: Trace, chunks: Sequence[Sequence[Arrival]], stores: Stores
) -> float:
    stores.refill(trace)
    loop = side.over(chunks)
    start = perf_counter()
    loop()
    seconds = perf_counter() - start
    (stores.judge_proposals if name == SCRIPTS else stores.judge)(trace)
    return seconds


def _spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))
