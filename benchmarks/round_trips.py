"""Round trips of an invocation, counted, and what it takes when each trip takes a millisecond more."""

from __future__ import annotations

from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from pg8000.native import Connection
from redis import Redis

from benchmarks.bench import Effort
from benchmarks.delaying_proxy import STORES, DelayingProxy
from benchmarks.harness import spread_of
from benchmarks.report import Goal, Section, Table, spread
from benchmarks.servers import BUS
from benchmarks.workload import Workload, WorkloadSize
from dev.servers.postgres import USER
from els_core.domain.arrivals import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.bench import Bench
    from benchmarks.report import Cell
    from els_core.domain.arrivals import Arrival

DELAY_SECONDS = 0.001
# While trips are counted, each is held back: a request of many packets is sent whole before its first answer.
HOLD_SECONDS = 0.05
RECORDS = {Effort.FULL: (1, 10, 100, 1_000), Effort.QUICK: (1, 10, 100, 1_000), Effort.SMOKE: (1, 10, 100)}
BATCHES, SLOTS = 10, 2_000
ROUNDS, CALLS = {Effort.FULL: 7, Effort.QUICK: 5, Effort.SMOKE: 1}, 20
TIMED_RECORDS = 10
COUNTED = "counted between the service and its stores, not timed; the bus has one step of up to eight calls"


def count_trips(bench: Bench) -> Section:
    """Count the trips of invocations that close no batch, and of one that does."""
    rows: list[tuple[Cell, ...]] = []
    with ExitStack() as opened:
        proxy = _proxy(bench, opened, HOLD_SECONDS)
        for records in RECORDS[bench.effort]:
            bench.say(f"{records:,} records")
            arrivals = _open_batches(bench)
            for _ in range(2):  # the first one connects and names the statements
                run = bench.handler.prepare([_take(arrivals, records)])
                proxy.take_trips()
                run()
            trips = proxy.take_trips()
            rows.append((f"{records:,} records, none closes a batch", *(trips[store] for store in STORES)))
        rows.append(("the last record of a batch", *_closing(bench, proxy)))
    columns = ("an invocation of", *(f"trips to {store}" for store in STORES))
    return Section("trips", [Table("Round trips", columns, rows, COUNTED)])


def measure_rtt(bench: Bench) -> Section:
    """Compare invocations of ten records with the same trips alone, each a millisecond longer."""
    with ExitStack() as opened:
        proxy = _proxy(bench, opened, DELAY_SECONDS)
        trips = _bare_trips(proxy, opened)
        found = [_with_longer_trips(bench, trips, batches) for batches in (1, TIMED_RECORDS)]
    columns = ("invocation of", "ms", "its five trips alone, ms", "ratio")
    note = "Trips alone: a PING, three SELECT 1 and a call of the bus, one after the other. The goal is 1.3."
    goals = [Goal(f"{row[0]}, times its trips alone at 1 ms more", None, 1.3, ratio) for row, ratio in found]
    table = Table("Each trip takes a millisecond more", columns, [row for row, _ in found], note)
    return Section("rtt", [table], goals=goals)


def _with_longer_trips(
    bench: Bench, trips: Callable[[], None], batches: int
) -> tuple[tuple[str, ...], float]:
    """Return the row of the table, and the ratio in it."""
    ratios, ours, alone = [], [], []
    arrivals = _open_batches(bench, batches)
    for number in range(ROUNDS[bench.effort] + 1):
        bench.say(f"round {number} of {ROUNDS[bench.effort]}, {TIMED_RECORDS} records for {batches} batches")
        calls = [bench.handler.prepare([_take(arrivals, TIMED_RECORDS)]) for _ in range(CALLS)]
        pairs = [(_seconds(call), _seconds(trips)) for call in calls]
        if number:  # the first round is a warm-up
            ours.append(1e3 * median(pair[0] for pair in pairs))
            alone.append(1e3 * median(pair[1] for pair in pairs))
            ratios.append(ours[-1] / alone[-1])
    spreads = (spread(spread_of(values), ".2f") for values in (ours, alone, ratios))
    name = f"{TIMED_RECORDS} records for {batches} {'batch' if batches == 1 else 'batches'}"
    return (name, *spreads), spread_of(ratios).median


def _proxy(bench: Bench, opened: ExitStack, delay: float) -> DelayingProxy:
    """Start a proxy, and let the service go through it."""
    proxy = opened.enter_context(DelayingProxy(bench.servers.ports, delay))
    opened.enter_context(bench.servers.through(proxy.ports))
    return proxy


def _open_batches(bench: Bench, batches: int = BATCHES) -> Iterator[Arrival]:
    """Register batches that stay open, and return contents for them, in turn."""
    workload = Workload.generate(WorkloadSize(batches, SLOTS))
    bench.servers.reset(workload)
    by_batch: dict[str, list[Arrival]] = {}
    for arrival in dict.fromkeys(workload.arrivals):
        if isinstance(arrival, Content):
            by_batch.setdefault(arrival.batch_id, []).append(arrival)
    return (arrival for together in zip(*by_batch.values(), strict=False) for arrival in together)


def _take(arrivals: Iterator[Arrival], count: int) -> Sequence[Arrival]:
    return [next(arrivals) for _ in range(count)]


def _closing(bench: Bench, proxy: DelayingProxy) -> list[int]:
    """Return the trips of the invocation that brings the last content of a batch."""
    workload = Workload.generate(WorkloadSize(1, 10))
    bench.servers.reset(workload)
    contents = list(dict.fromkeys(workload.arrivals))[:10]
    bench.handler.prepare([contents[:-1]])()
    last = bench.handler.prepare([contents[-1:]])
    proxy.take_trips()
    last()
    trips = proxy.take_trips()
    return [trips[store] for store in STORES]


def _bare_trips(proxy: DelayingProxy, opened: ExitStack) -> Callable[[], None]:
    """Return what makes the trips of an invocation without doing anything."""
    redis = opened.enter_context(Redis(port=proxy.ports["Redis"]))
    postgres = Connection(USER, host="127.0.0.1", port=proxy.ports["Postgres"], database="postgres")
    opened.callback(postgres.close)
    bus = HTTPConnection("127.0.0.1", proxy.ports["bus"], timeout=10)
    opened.callback(bus.close)

    def run() -> None:
        redis.ping()
        for _ in range(3):
            postgres.run("SELECT 1")
        bus.request("POST", "/", f'{{"Name": "{BUS}"}}', {"X-Amz-Target": "AWSEvents.DescribeEventBus"})
        bus.getresponse().read()

    return run


def _seconds(call: Callable[[], None]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start
