"""Several workers: on one hot batch, on many batches, and a crowd of invocations on one batch at once.

All cores are shared with Postgres, Valkey and the bus, so two cores show whether workers disturb each other,
and not how far they scale.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from benchmarks.bench import Effort
from benchmarks.harness import percentile, spread_of
from benchmarks.plots.charts import Lines
from benchmarks.report import Goal, Section, Table, spread
from benchmarks.servers import FUNCTION
from benchmarks.worker_processes import run_workers, split
from benchmarks.workload import Workload, WorkloadSize
from dev.deploy.template import Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench
    from benchmarks.report import Cell
    from benchmarks.worker_processes import WorkerRun

WORKERS = {Effort.FULL: (1, 2, 4, 5), Effort.QUICK: (1, 2, 4), Effort.SMOKE: (1, 2)}
HOT, MANY = "one hot batch", "many batches"
SIZES = {
    Effort.FULL: {HOT: WorkloadSize(1, 2_000), MANY: WorkloadSize(100, 20)},
    Effort.QUICK: {HOT: WorkloadSize(1, 500), MANY: WorkloadSize(25, 20)},
    Effort.SMOKE: {HOT: WorkloadSize(1, 40), MANY: WorkloadSize(4, 10)},
}
CROWD = {Effort.FULL: 100, Effort.QUICK: 40, Effort.SMOKE: 8}
ROUNDS = {Effort.FULL: 5, Effort.QUICK: 2, Effort.SMOKE: 1}
SQS_BATCH = 10
LIMIT = Template.read().timeout_seconds(FUNCTION)
MILLISECONDS = 1_000
NOTE = (
    "SQS batches of 10. p99 under this load, each as what it says: an invocation lasts from its call to its "
    "return, which is after the commit and the publishing; the parts are what the invocation itself logs as "
    "TimeInRedis and TimeInPostgres. The targets of the replaced system: Redis below 100 ms, Postgres below "
    "200 ms, arrival to commit below 1 s. Memory: the peak of the largest process."
)
COLUMNS = (
    "work",
    "workers",
    "arrivals/s",
    "invocation p50 ms",
    "p99 ms",
    "Redis p99 ms",
    "Postgres p99 ms",
    "MB",
)


def measure(bench: Bench) -> Section:
    """Measure each number of workers, and the crowd; each run raises unless nothing was lost."""
    rows: list[tuple[Cell, ...]] = []
    series: dict[str, list[tuple[float, float]]] = {}
    for name, size in SIZES[bench.effort].items():
        for workers in WORKERS[bench.effort]:
            rates, runs = [], []
            for _ in range(ROUNDS[bench.effort]):
                bench.say(f"{workers} workers, {name}")
                rate, found = _run(bench, size, workers)
                rates.append(rate)
                runs.extend(found)
            rows.append((name, workers, spread(spread_of(rates)), *_percentiles(runs), _peak(runs)))
            series.setdefault(name, []).append((float(workers), spread_of(rates).median))
    chart = Lines("workers", "Arrivals per second by workers", "workers", "arrivals/s", series, log_x=False)
    crowd = _crowd(bench)
    goals = [
        Goal(f"{workers:.0f} workers on one hot batch, times one worker", 1, None, rate / series[HOT][0][1])
        for workers, rate in series[HOT][1:]
    ]
    limits = (("an invocation", 4, 1_000), ("its Redis part", 5, 100), ("its Postgres part", 6, 200))
    goals += [
        Goal(f"p99 of {what} under load, ms", None, limit, max(float(row[position]) for row in rows))
        for what, position, limit in limits
    ]
    goals.append(Goal("the longest of the crowd, by its limit", None, 1, float(crowd.rows[0][3]) / LIMIT))
    return Section("workers", [Table("Workers", COLUMNS, rows, NOTE), crowd], [chart], goals)


def _run(bench: Bench, size: WorkloadSize, workers: int) -> tuple[float, list[WorkerRun]]:
    workload = Workload.generate(size)
    bench.servers.reset(workload)
    runs = run_workers(split(workload.sqs_batches(SQS_BATCH), workers))
    bench.servers.check_results(workload)
    return len(workload.arrivals) / (max(run.end for run in runs) - min(run.start for run in runs)), runs


def _crowd(bench: Bench) -> Table:
    """Let many invocations begin at once, each with ten arrivals of the same batch."""
    count = CROWD[bench.effort]
    bench.say(f"{count} invocations at once on one batch")
    workload = Workload.generate(WorkloadSize(1, round(count * SQS_BATCH / 1.11) // 10 * 10))
    bench.servers.reset(workload)
    runs = run_workers(split(workload.sqs_batches(SQS_BATCH), count))
    bench.servers.check_results(workload)
    longest = max(chain.from_iterable(run.invocations for run in runs))
    rate = len(workload.arrivals) / (max(run.end for run in runs) - min(run.start for run in runs))
    columns = ("invocations at once", "arrivals", "lost", "the longest, s", "its limit, s", "arrivals/s")
    row = (count, len(workload.arrivals), 0, longest, LIMIT, rate)
    return Table(
        "A crowd on one batch", columns, [row], "Lost is checked in Postgres and on the bus: one would raise."
    )


def _percentiles(runs: Sequence[WorkerRun]) -> list[float]:
    """Return those of the table, without the first invocation of each worker, which connects."""
    invocations = [seconds for run in runs for seconds in run.invocations[1:]]
    redis = [seconds for run in runs for seconds in run.redis[1:]]
    postgres = [seconds for run in runs for seconds in run.postgres[1:]]
    wanted = ((invocations, 0.5), (invocations, 0.99), (redis, 0.99), (postgres, 0.99))
    return [MILLISECONDS * percentile(values, share) for values, share in wanted]


def _peak(runs: Sequence[WorkerRun]) -> float:
    return max(run.peak_bytes for run in runs) / 1e6
