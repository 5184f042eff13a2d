"""The service beside programs of others that do a fan-in: speed, latency, and how often the result is right.

The same deliveries for all, duplicates among them. Latency is measured at a pace that all of them keep. For
the loss, Redis is emptied when half of the arrivals have been taken, which then never come again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.bench import Effort
from benchmarks.candidates.fan_in import run_handler
from benchmarks.harness import HANDLER, SMALL, percentile, spread_of
from benchmarks.peers.catalogue import PEERS, NotInstallableError, last_line
from benchmarks.peers.run import PeerRun, deliveries, run_peer
from benchmarks.plots.charts import Bars
from benchmarks.report import Goal, Section, Table, spread
from benchmarks.workload import Workload, WorkloadSize
from dev.programs.process import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.bench import Bench
    from benchmarks.peers.catalogue import Peer
    from benchmarks.report import Cell


@dataclass(frozen=True)
class Plan:
    """The workloads: as fast as it goes, at a pace, and with the loss; and the rounds of the first."""

    fast: Sequence[WorkloadSize]
    paced: WorkloadSize
    lossy: WorkloadSize
    rounds: int
    sqs_batches: Sequence[int]


PER_SECOND = 50.0
PLANS = {
    Effort.FULL: Plan(
        (WorkloadSize(40, 50), WorkloadSize(1, 2_000)),
        WorkloadSize(100, 10),
        WorkloadSize(20, 10),
        5,
        (10, 100, 1_000),
    ),
    Effort.QUICK: Plan((WorkloadSize(20, 50),), WorkloadSize(10, 10), WorkloadSize(10, 10), 1, (10, 100)),
    Effort.SMOKE: Plan((WorkloadSize(2, 10),), WorkloadSize(2, 5), WorkloadSize(2, 10), 1, (10,)),
}
NOTE = (
    "Latency: from the last arrival that a batch needs to its final result, at "
    f"{PER_SECOND:.0f} arrivals/s, one by one. Exactly one, early: batches of that run, with a tenth of the "
    "arrivals twice. After FLUSHALL: batches with exactly one final result, of those that were half taken in "
    "when Redis lost everything."
)
QUICKEST, DURABLE = "BullMQ flows", ("DBOS", "Restate")
COLUMNS = ("program", "p50 ms", "p95 ms", "p99 ms", "exactly one", "early", "after FLUSHALL")


@dataclass
class Contestant:
    """One program in the comparison, and what its runs were."""

    name: str
    sqs_batch: int | None  # of the service itself
    run: Callable[[Workload, float | None, int | None], PeerRun]
    has_failed: bool = False
    fast: dict[str, list[float]] = field(default_factory=dict)
    paced: PeerRun | None = None
    lossy: PeerRun | None = None


def measure(bench: Bench) -> Section:
    """Run every program that can be had; whatever fails is left out with a line that says so."""
    plan = PLANS[bench.effort]
    left_out: list[str] = []
    ours = [_ours(bench, size) for size in plan.sqs_batches]
    others = _installed(bench, left_out)
    for contestant in (ours[0], *others):  # at a pace the size of an SQS batch makes no difference
        bench.say(f"latency and loss of {contestant.name}")
        _try(contestant, _paced_and_lossy, plan, left_out)
    for number in range(plan.rounds):
        for contestant in (*ours, *others)[:: -1 if number % 2 else 1]:
            if not contestant.has_failed:
                bench.say(f"round {number + 1} of {plan.rounds}: {contestant.name}")
                _try(contestant, _as_fast_as_it_goes, plan, left_out)
    found = [one for one in (*ours, *others) if not one.has_failed]
    return Section("peers", _tables(found, plan), _charts(found), _goals(found, plan), left_out)


def _installed(bench: Bench, left_out: list[str]) -> list[Contestant]:
    """Return the peers that can be installed, and add a line for each of the others."""
    found = []
    for peer in PEERS if bench.effort is not Effort.SMOKE else ():
        bench.say(f"installing {peer.name}")
        try:
            peer.install()
        except NotInstallableError as error:
            left_out.append(str(error))
            bench.say(str(error))
        else:
            found.append(_theirs(bench, peer))
    return found


def _try(
    contestant: Contestant, run: Callable[[Contestant, Plan], None], plan: Plan, left_out: list[str]
) -> None:
    """Run a program; one of others that fails takes no part from then on, and a line says so."""
    try:
        run(contestant, plan)
    except ServerError as error:
        contestant.has_failed = True
        left_out.append(f"{contestant.name} is left out, it failed: {last_line(error)}")


def _paced_and_lossy(contestant: Contestant, plan: Plan) -> None:
    contestant.paced = contestant.run(Workload.generate(plan.paced), PER_SECOND, None)
    lossy = Workload.generate(plan.lossy)
    contestant.lossy = contestant.run(lossy, None, len(deliveries(lossy)) // 2)


def _as_fast_as_it_goes(contestant: Contestant, plan: Plan) -> None:
    for size in plan.fast:
        run = contestant.run(Workload.generate(size), None, None)
        contestant.fast.setdefault(str(size), []).append(run.per_second)


def _theirs(bench: Bench, peer: Peer) -> Contestant:
    """Return a peer."""

    def run(workload: Workload, per_second: float | None, flush_before: int | None) -> PeerRun:
        return run_peer(peer, workload, bench.servers, per_second=per_second, flush_before=flush_before)

    return Contestant(peer.name, None, run)


def _ours(bench: Bench, sqs_batch: int) -> Contestant:
    """Return the handler; at a pace it gets one record at a time."""

    def run(workload: Workload, per_second: float | None, flush_before: int | None) -> PeerRun:
        return run_handler(bench, workload, 1 if per_second else sqs_batch, per_second, flush_before)

    return Contestant(f"{HANDLER}, SQS batch {sqs_batch:,}", sqs_batch, run)


def _tables(contestants: Sequence[Contestant], plan: Plan) -> list[Table]:
    rates = [
        (one.name, *(spread(spread_of(one.fast[str(size)])) for size in plan.fast)) for one in contestants
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            _at_a_pace(one),
            *(1_000 * percentile(one.paced.latencies, share) for share in (0.5, 0.95, 0.99)),
            f"{one.paced.exactly_one} of {one.paced.batches}",
            one.paced.early,
            f"{one.lossy.exactly_one} of {one.lossy.batches}",
        )
        for one in contestants
        if one.paced and one.lossy
    ]
    sizes = tuple(f"{size}, arrivals/s" for size in plan.fast)
    return [
        Table("Beside the peers: speed", ("program", *sizes), rates, f"Rounds: {plan.rounds}."),
        Table("Beside the peers: latency and correctness", COLUMNS, rows, NOTE),
    ]


def _goals(contestants: Sequence[Contestant], plan: Plan) -> list[Goal]:
    """Return the goals against the peers that took part; the last workload has one hot batch."""
    found = {one.name: one for one in contestants}
    ours = [one for one in contestants if one.sqs_batch]
    many, hot = str(plan.fast[0]), str(plan.fast[-1])
    goals = [
        Goal(f"times {QUICKEST}, {one.name}", 1, None, _rate(one, many) / _rate(peer, many))
        for peer in [found.get(QUICKEST)]
        if peer
        for one in ours
        if one.sqs_batch and one.sqs_batch > SMALL
    ]
    if len(plan.fast) > 1:
        best = max(_rate(one, hot) for one in ours)
        goals += [
            Goal(f"times {name} on one hot batch", 30, None, best / _rate(found[name], hot))
            for name in DURABLE
            if name in found
        ]
    for when, run in (("under duplicates", ours[0].paced), ("after FLUSHALL", ours[0].lossy)):
        if run:
            share = run.exactly_one / run.batches
            goals.append(Goal(f"share of batches with exactly one final result, {when}", 1, 1, share))
    return goals


def _rate(contestant: Contestant, size: str) -> float:
    return spread_of(contestant.fast[size]).median or 1.0


def _charts(contestants: Sequence[Contestant]) -> list[Bars]:
    speed = {one.name: {_kind(one): spread_of(next(iter(one.fast.values()))).median} for one in contestants}
    latency = {
        _at_a_pace(one): {_kind(one): 1_000 * percentile(one.paced.latencies, 0.99)}
        for one in contestants
        if one.paced
    }
    return [
        Bars("peers", "Arrivals per second, with many batches", "/s", speed),
        Bars("latency", f"Completion latency, p99 at {PER_SECOND:.0f} arrivals/s", "ms", latency),
    ]


def _at_a_pace(contestant: Contestant) -> str:
    """Return its name where arrivals come one by one, so that the size of an SQS batch does not matter."""
    return HANDLER if contestant.sqs_batch else contestant.name


def _kind(contestant: Contestant) -> str:
    return "the service" if contestant.sqs_batch else "others"
