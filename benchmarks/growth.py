"""What grows with what: time per item, memory, the sweep, the relay and a status, from small to large."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.bench import Effort
from benchmarks.harness import spread_of
from benchmarks.plots.charts import Lines
from benchmarks.report import Goal, Section, Table, spread
from benchmarks.worker_processes import peak_bytes, run_workers
from benchmarks.workload import Workload, WorkloadSize
from els_core import bootstrap
from els_core.application.budgets import always
from els_core.application.publish_outbox import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.bench import Bench
    from benchmarks.harness import Spread
    from benchmarks.report import Cell

SLOTS = (10, 50, 200, 1_000, 2_000)
TOTAL = {Effort.FULL: 4_000, Effort.QUICK: 2_000, Effort.SMOKE: 100}
OPEN = {
    Effort.FULL: (1, 100, 1_000, 10_000, 100_000),
    Effort.QUICK: (1, 1_000, 10_000),
    Effort.SMOKE: (1, 50),
}
DUE = {Effort.FULL: (0, 100, 1_000, 10_000), Effort.QUICK: (0, 100, 1_000), Effort.SMOKE: (0, 10)}
UNSENT = {Effort.FULL: (1_000, 10_000, 100_000), Effort.QUICK: (1_000, 5_000), Effort.SMOKE: (20,)}
ROUNDS = {Effort.FULL: 5, Effort.QUICK: 3, Effort.SMOKE: 1}
SQS_BATCH = 100
FEW = WorkloadSize(20, 50)
MICROSECONDS = 1e6
FLAT = 1.25  # this much counts as flat, on a machine that does other things too
COLUMNS = ("µs per arrival", "peak memory of the process, MB")
BY_SLOTS = "SQS batches of 100; as many slots in all; a process of its own for each size."

# Batches of two slots with a deadline in an hour, as their registration writes them; the first :due are late.
OPEN_BATCHES = """
WITH made AS (
    INSERT INTO batches (batch_id, status, version, expected_count, deadline, fingerprint, course_code,
        user_id, timeout_seconds, correlation_id)
    SELECT 'other-' || n, 'open', 1, 2,
        clock_timestamp() + CASE WHEN n <= {due} THEN interval '-1 minute' ELSE interval '1 hour' END,
        'made', 'ENG5', 'teacher-1', 3600, '00000000-0000-4000-8000-000000000000'
    FROM generate_series({first}, {last}) AS n RETURNING batch_id
)
INSERT INTO essays (batch_id, essay_id)
SELECT batch_id, 'essay-' || slot FROM made, generate_series(1, 2) AS slot
"""
UNSENT_EVENTS = """
INSERT INTO outbox (event_id, batch_id, detail_type, detail, created_at)
SELECT gen_random_uuid(), 'other-' || n, 'EssaySlotsAssigned', '{{"data": "' || repeat('x', 600) || '"}}',
    clock_timestamp() - interval '1 hour'
FROM generate_series({first}, {last}) AS n
"""


def measure(bench: Bench) -> Section:
    """Measure each kind of growth; flat figures mean that size does not matter."""
    by_slots, by_open, sweep, relay = (
        _by_slots(bench),
        _by_open_batches(bench),
        _sweep(bench),
        _relay(bench),
    )
    series = {
        "slots in a batch": [(one.size, one.microseconds.median) for one in by_slots],
        "open batches": [(one.size, one.microseconds.median) for one in by_open],
    }
    chart = Lines("growth", "Time per arrival as batches and their number grow", "count", "µs", series)
    return Section(
        "growth",
        [
            Table("Batches of many sizes", ("slots", *COLUMNS), [one.row() for one in by_slots], BY_SLOTS),
            Table("Many open batches", ("open batches", *COLUMNS), [one.row() for one in by_open]),
            sweep,
            relay,
            _status(bench),
        ],
        [chart],
        [
            Goal("time per arrival, the slowest batch size by the quickest", None, FLAT, _ratio(by_slots)),
            Goal("time per arrival, with most open batches by fewest", None, FLAT, _ratio(by_open)),
            Goal("memory, the largest batches by the smallest", None, FLAT, _memory(by_slots)),
            Goal("the relay's share of the bus alone", 0.8, None, float(relay.rows[-1][-1])),
        ],
    )


@dataclass(frozen=True)
class Growth:
    """The microseconds for an arrival, and the most memory of the process, at one size."""

    size: int
    microseconds: Spread
    peak_bytes: int

    def row(self) -> tuple[Cell, ...]:
        """Return its row of a table."""
        return self.size, spread(self.microseconds), self.peak_bytes / 1e6


def _ratio(found: Sequence[Growth]) -> float:
    times = [one.microseconds.median for one in found]
    return max(times) / min(times)


def _memory(found: Sequence[Growth]) -> float:
    return found[-1].peak_bytes / found[0].peak_bytes


def _by_slots(bench: Bench) -> list[Growth]:
    total = TOTAL[bench.effort]
    found = []
    for slots in (slots for slots in SLOTS if slots <= total):
        bench.say(f"batches of {slots:,} slots")
        workload = Workload.generate(WorkloadSize(total // slots, slots))
        seconds, peaks = [], []
        for _ in range(ROUNDS[bench.effort]):
            bench.servers.reset(workload)
            [run] = run_workers([workload.sqs_batches(SQS_BATCH)])
            bench.servers.check_results(workload)
            seconds.append(MICROSECONDS * (run.end - run.start) / len(workload.arrivals))
            peaks.append(run.peak_bytes)
        found.append(Growth(slots, spread_of(seconds), max(peaks)))
    return found


def _by_open_batches(bench: Bench) -> list[Growth]:
    workload = Workload.generate(FEW)
    found = []
    for count in OPEN[bench.effort]:
        bench.say(f"{count:,} open batches")
        bench.servers.reset(workload)
        bench.servers.fill(OPEN_BATCHES, count, due=0)
        seconds = []
        for number in range(ROUNDS[bench.effort] + 1):
            run = bench.handler.prepare(workload.sqs_batches(SQS_BATCH))
            spent = _seconds(run)
            if number:  # the first one is a warm-up
                seconds.append(MICROSECONDS * spent / len(workload.arrivals))
            bench.servers.register_again(workload)
        found.append(Growth(count, spread_of(seconds), peak_bytes()))
    return found


def _sweep(bench: Bench) -> Table:
    """Close what is due among many open batches, with the event of each."""
    among = max(OPEN[bench.effort])
    rows: list[tuple[Cell, ...]] = []
    for due in (due for due in DUE[bench.effort] if due <= among):
        bench.say(f"a sweep with {due:,} due among {among:,} open batches")
        bench.servers.empty()
        bench.servers.fill(OPEN_BATCHES, among, due=due)
        sweep = bootstrap.container().expire_batches()
        start = perf_counter()
        closed = len(sweep.run(always).closed)
        seconds = perf_counter() - start
        if closed != due:
            raise RuntimeError(f"the sweep closed {closed} of {due} batches that were due")
        rows.append((due, among, seconds, 1e3 * seconds / due if due else ""))
    return Table("The sweep", ("due", "among open batches", "seconds", "ms per batch due"), rows)


def _relay(bench: Bench) -> Table:
    """Publish what waits in the outbox, beside publishing the same events without an outbox."""
    rows = [_relay_of(bench, count) for count in UNSENT[bench.effort]]
    columns = ("events", "events/s", "bus alone, events/s", "share of the bus alone")
    return Table(
        "The relay",
        columns,
        rows,
        "Bus alone: a page of the same events by the same client, without an outbox.",
    )


def _relay_of(bench: Bench, count: int) -> tuple[Cell, ...]:
    bench.say(f"a relay of {count:,} events")
    bench.servers.empty()
    bench.servers.fill(UNSENT_EVENTS, count)
    container = bootstrap.container()
    page = container.repository.unsent(container.publish_outbox().grace, 0, PAGE_BYTES, is_final=False)
    times = [_seconds(lambda: container.post_commit.publisher.publish(page, always)) for _ in range(2)]
    alone = len(page) / times[-1]  # the first one connects
    start = perf_counter()
    sent = container.publish_outbox().run(always).sent
    seconds = perf_counter() - start
    if sent != count:
        raise RuntimeError(f"the relay sent {sent} of {count} events")
    return count, count / seconds, alone, count / seconds / alone


def _status(bench: Bench) -> Table:
    sizes = [slots for slots in SLOTS if slots <= TOTAL[bench.effort]]
    return Table("The status of a batch", ("slots", "ms"), [_status_of(bench, slots) for slots in sizes])


def _status_of(bench: Bench, slots: int) -> tuple[Cell, ...]:
    bench.say(f"the status of a batch of {slots:,} slots")
    workload = Workload.generate(WorkloadSize(1, slots))
    bench.servers.reset(workload)
    bench.handler.prepare([workload.arrivals[: slots // 2]])()
    status, batch_id = bootstrap.container().batch_status(), workload.registrations[0].batch_id
    seconds = [_seconds(lambda: status.read(batch_id)) for _ in range(ROUNDS[bench.effort] + 1)][1:]
    return slots, spread(spread_of([1e3 * one for one in seconds]), ".1f")


def _seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start
