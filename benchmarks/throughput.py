"""Arrivals per second by SQS batch size: the handler beside the least code that does the same work.

Timed: from the call with an SQS batch of arrivals to its return, when all is committed and published. The
handler gets SQS events; the baselines get arrivals that are parsed already.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.baselines.one_at_a_time import OneAtATime
from benchmarks.baselines.redis_and_postgres import RedisAndPostgres
from benchmarks.baselines.redis_only import RedisOnly
from benchmarks.baselines.together import Together
from benchmarks.bench import Effort
from benchmarks.harness import (
    BASELINES,
    HANDLER,
    ONE_AT_A_TIME,
    REDIS_AND_POSTGRES,
    REDIS_ONLY,
    SMALL,
    TOGETHER,
    BenchmarkCase,
    measure_case,
)
from benchmarks.plots.charts import Lines
from benchmarks.report import Goal, Section, Table, spread
from benchmarks.servers import BUS
from benchmarks.workload import WorkloadSize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench
    from benchmarks.harness import BenchmarkResult, Implementation
    from benchmarks.report import Cell

SIZES = (WorkloadSize(200, 50), WorkloadSize(50, 200), WorkloadSize(1, 2_000))
# An arrival costs more in a smaller SQS batch, so smaller SQS batches get smaller workloads.
CASES = {
    Effort.FULL: [
        BenchmarkCase(WorkloadSize(20, 50), 1, 7),
        *(BenchmarkCase(size, sqs_batch, 7) for size in SIZES for sqs_batch in (10, 100, 1_000)),
    ],
    Effort.QUICK: [
        BenchmarkCase(WorkloadSize(2, 50), 1, 5),
        BenchmarkCase(WorkloadSize(10, 50), 10, 5),
        BenchmarkCase(WorkloadSize(20, 50), 100, 5),
        BenchmarkCase(WorkloadSize(40, 50), 1_000, 5),
    ],
    Effort.SMOKE: [BenchmarkCase(WorkloadSize(2, 10), 10, 1)],
}
LARGE = 100  # the goal is lower for SQS batches above this
NOTE = "A workload is batches x slots. Median (lowest to highest) of all rounds; a share compares one round."


def measure(bench: Bench) -> Section:
    """Measure every case; each run raises unless it has done all the work."""
    with ExitStack() as opened:
        implementations = _implementations(bench, opened)
        results = []
        for case in CASES[bench.effort]:
            bench.say(f"{case.size} slots in SQS batches of {case.sqs_batch_size:,}, {case.rounds} rounds")
            results.append(measure_case(case, implementations, bench.servers))
    names = (HANDLER, *BASELINES)
    rates = [
        (str(result.case.size), result.case.sqs_batch_size, name, spread(result.rates[name]))
        for result in results
        for name in names
        if name in result.rates
    ]
    shares: list[tuple[Cell, ...]] = [
        (
            str(result.case.size),
            result.case.sqs_batch_size,
            *(spread(result.shares[name], ".2f") if name in result.shares else "" for name in BASELINES),
        )
        for result in results
    ]
    tables = (
        Table("Arrivals per second", ("workload", "SQS batch", "implementation", "arrivals/s"), rates, NOTE),
        Table("The handler's share of each baseline's rate", ("workload", "SQS batch", *BASELINES), shares),
    )
    return Section("throughput", tables, [_chart(results)], _goals(results))


def _implementations(bench: Bench, opened: ExitStack) -> dict[str, Implementation]:
    servers = bench.servers
    redis_only = RedisOnly(servers.valkey.url)
    opened.callback(redis_only.close)
    kinds = {REDIS_AND_POSTGRES: RedisAndPostgres, TOGETHER: Together, ONE_AT_A_TIME: OneAtATime}
    durable = {name: kind(redis_only, servers.postgres.url, BUS) for name, kind in kinds.items()}
    for one in durable.values():
        opened.callback(one.close)
    return {HANDLER: bench.handler, REDIS_ONLY: redis_only, **durable}


def _goals(results: Sequence[BenchmarkResult]) -> list[Goal]:
    """Return the goals of each SQS batch size, by the first case of that size."""
    goals = []
    for size, result in {one.case.sqs_batch_size: one for one in reversed(results)}.items():
        wanted = 0.85 if size <= LARGE else 0.8
        where = f"at SQS batches of {size:,}"
        goals += [
            Goal(f"share of (b) {where}", wanted, None, result.shares[REDIS_AND_POSTGRES].median),
            Goal(f"share of (b') {where}", 0.65, None, result.shares[TOGETHER].median),
        ]
    shares = [one.shares for one in results if one.case.sqs_batch_size == SMALL]
    times = next(one[ONE_AT_A_TIME].median for one in shares if ONE_AT_A_TIME in one)
    goals.append(Goal(f"times one message at a time at SQS batches of {SMALL}", 5, None, times))
    return goals


def _chart(results: Sequence[BenchmarkResult]) -> Lines:
    """Draw one line for each implementation, over the first cases that it took part in."""
    series = {}
    for name in (HANDLER, *BASELINES):
        own = {one.case.sqs_batch_size: one.rates[name] for one in reversed(results) if name in one.rates}
        series[name] = [(float(size), own[size].median) for size in sorted(own)]
    return Lines(
        "throughput",
        "Arrivals per second by SQS batch size",
        "SQS batch size",
        "arrivals/s",
        series,
        log_y=True,
    )
