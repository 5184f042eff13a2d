"""Dollars for a million essays, from counted work and published list prices.

What costs the same without any essay is left out: the stores, the network, the schedules. So are free tiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.bench import Effort
from benchmarks.plots.charts import Bars
from benchmarks.report import Section, Table
from benchmarks.servers import FUNCTION
from benchmarks.workload import Workload, WorkloadSize
from dev.deploy.template import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bench import Bench

MILLION = 1_000_000
PRICES_AS_OF = "2026-06"


@dataclass(frozen=True)
class Price:
    """Dollars for so many of something, and the page that says so."""

    dollars: float
    per: float
    page: str

    def of(self, count: float) -> float:
        """Return the dollars of a count."""
        return self.dollars * count / self.per


# List prices in dollars, first tier, Europe (Stockholm) where the region matters; x86. The pages are those of
# PRICES_AS_OF: check them before you rely on a sum.
LAMBDA_REQUESTS = Price(0.20, MILLION, "https://aws.amazon.com/lambda/pricing/")
LAMBDA_GB_SECONDS = Price(0.0000166667, 1, "https://aws.amazon.com/lambda/pricing/")
SQS_REQUESTS = Price(0.40, MILLION, "https://aws.amazon.com/sqs/pricing/")
CUSTOM_EVENTS = Price(1.00, MILLION, "https://aws.amazon.com/eventbridge/pricing/")
LOG_BYTES = Price(0.50, 1e9, "https://aws.amazon.com/cloudwatch/pricing/")
STATE_TRANSITIONS = Price(25.0, MILLION, "https://aws.amazon.com/step-functions/pricing/")
TEMPORAL_ACTIONS = Price(50.0, MILLION, "https://docs.temporal.io/cloud/pricing")

SIZES = {
    Effort.FULL: WorkloadSize(100, 50),
    Effort.QUICK: WorkloadSize(20, 50),
    Effort.SMOKE: WorkloadSize(2, 10),
}
SQS_BATCHES = (10, 100)
RECEIVED_AT_ONCE = 10  # messages of one ReceiveMessage, and of one DeleteMessageBatch
TRANSITIONS_PER_ESSAY = 2  # a child of the map that waits for a callback, and its end
TRANSITIONS_PER_BATCH = 3  # start, map, final result
ACTIONS_PER_BATCH = 3  # start of the workflow, its timer, the activity that announces
NOTE = (
    f"List prices of {PRICES_AS_OF}; the pages are in benchmarks/cost.py. Counted: invocations, messages, "
    "events, log bytes. Measured here: the duration that GB-seconds are made of. Step Functions: a "
    f"distributed map with a child that waits for a callback, {TRANSITIONS_PER_ESSAY} state transitions for "
    f"an essay and {TRANSITIONS_PER_BATCH} for a batch. Temporal Cloud: a signal for each arrival and "
    f"{ACTIONS_PER_BATCH} actions for a batch. Neither includes the workers and stores that it needs besides."
)


@dataclass(frozen=True)
class CountedWork:
    """What a workload took: its essays, and everything that has a price."""

    essays: int
    arrivals: int
    invocations: int
    events: int
    seconds: float
    log_bytes: int


def measure(bench: Bench) -> Section:
    """Count the work of each SQS batch size, and price it beside two services that do the same."""
    size = SIZES[bench.effort]
    rows: dict[str, Mapping[str, float]] = {}
    arrivals = 0
    for sqs_batch in SQS_BATCHES:
        bench.say(f"{size} slots in SQS batches of {sqs_batch}")
        work = _count(bench, size, sqs_batch)
        arrivals = work.arrivals
        rows[f"here, SQS batch {sqs_batch}"] = _dollars(work)
    scale = MILLION / size.total_slots
    rows["Step Functions map"] = {
        "state transitions": STATE_TRANSITIONS.of(
            scale * (size.total_slots * TRANSITIONS_PER_ESSAY + size.batches * TRANSITIONS_PER_BATCH)
        )
    }
    rows["Temporal Cloud"] = {
        "actions": TEMPORAL_ACTIONS.of(scale * (arrivals + size.batches * ACTIONS_PER_BATCH))
    }
    table = Table(
        f"Dollars for a million essays, in batches of {size.slots}",
        ("what", "dollars", "of which"),
        [
            (name, sum(parts.values()), ", ".join(f"{part} {value:.2f}" for part, value in parts.items()))
            for name, parts in rows.items()
        ],
        NOTE,
    )
    return Section("cost", [table], [Bars("cost", table.title, "$", rows)])


def _count(bench: Bench, size: WorkloadSize, sqs_batch: int) -> CountedWork:
    workload = Workload.generate(size)
    bench.servers.reset(workload)
    sqs_batches = workload.sqs_batches(sqs_batch)
    run = bench.handler.prepare(sqs_batches)
    logged = bench.handler.logged_bytes()
    start = perf_counter()
    run()
    seconds = perf_counter() - start
    events = sum(bench.servers.bus.take_summary()["events"].values())
    logged = bench.handler.logged_bytes() - logged
    return CountedWork(size.total_slots, len(workload.arrivals), len(sqs_batches), events, seconds, logged)


def _dollars(work: CountedWork) -> dict[str, float]:
    """Return the dollars of each kind of work, for a million essays."""
    scale = MILLION / work.essays
    gigabytes = Template.read().memory_mb(FUNCTION) / 1_024
    return {
        "Lambda requests": LAMBDA_REQUESTS.of(scale * work.invocations),
        "Lambda GB-seconds": LAMBDA_GB_SECONDS.of(scale * work.seconds * gigabytes),
        "SQS": SQS_REQUESTS.of(scale * 2 * ceil(work.arrivals / RECEIVED_AT_ONCE)),
        "EventBridge": CUSTOM_EVENTS.of(scale * work.events),
        "logs": LOG_BYTES.of(scale * work.log_bytes),
    }
