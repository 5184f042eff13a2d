"""One experiment: load, kills and faults for some time, then quiet, then reconciliation."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from random import Random
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pg8000.exceptions import Error

from dev.chaos.consumer import Consumer
from dev.chaos.database_snapshot import DatabaseSnapshot
from dev.chaos.environment import Environment
from dev.chaos.lambda_fleet import LambdaFleet
from dev.chaos.leak_check import LeakCheck
from dev.chaos.process_killer import ProcessKiller
from dev.chaos.producer import Producer
from dev.chaos.reconciliation import CheckResult, Reconciliation
from dev.chaos.worker_threads import WorkerThreads
from dev.chaos.workload import WorkloadGenerator
from dev.programs.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dev.chaos.faults import Fault
    from dev.chaos.redis_topologies import RedisTopology

DRAIN_SECONDS = 240.0


@dataclass
class Experiment(Lifecycle):
    """A run on one Redis topology, with everything that it starts.

    The title is part of the seed: two experiments of one run break in different orders.
    """

    title: str
    redis: RedisTopology
    built: Path
    seed: int
    rate: float
    provisioning: int = 3
    batch_limit: int | None = None
    observer: Callable[[Experiment], None] = lambda _experiment: None
    phase: str = "starting the servers"
    started_at: float = field(default_factory=monotonic)
    finished_at: float | None = None
    injected: list[str] = field(default_factory=list)
    pending: dict[str, int] = field(default_factory=dict)
    batch_statuses: dict[str, int] = field(default_factory=dict)
    results: list[CheckResult] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.title} {self.seed}")
        self.environment = Environment(self.redis, self.built)
        self.threads = WorkerThreads()
        self.fleet = LambdaFleet(self.environment, self.threads, self.provisioning)
        self.process_killer = ProcessKiller(self.fleet, Random(self.random.random()), self.threads)
        self.leak_check = LeakCheck(self.fleet)
        self.load_stopped, self.all_sent = Event(), Event()

    def _open(self) -> None:
        self._stack.enter_context(self.environment)
        self.phase = "starting the functions"
        self._stack.enter_context(self.fleet)
        self._stack.enter_context(self.threads)
        workload = WorkloadGenerator(Random(self.random.random()), f"s{self.seed}")
        random = Random(self.random.random())
        self.producer = Producer(
            self.environment, workload, random, self.threads, self.rate, self.batch_limit
        )
        self.consumer = Consumer(self.environment, self.threads)

    def close(self) -> None:
        """Stop threads, functions and servers."""
        self._stack.close()

    @property
    def seconds(self) -> float:
        """Return how long the experiment has taken so far, or took."""
        return (self.finished_at or monotonic()) - self.started_at

    @property
    def violations(self) -> list[str]:
        """Return every violation that was found, with the invariants that it breaks."""
        return [violation for result in self.results for violation in result.described()]

    def start(self, *, with_kills: bool = True) -> None:
        """Start load, functions and consumer, and the kills if they are wanted."""
        self._sqs = self.environment.sqs()
        self.fleet.start()
        self.threads.start("consumer", self.consumer.poll)
        self.threads.start(
            "producer", lambda: self.producer.step(self.load_stopped, self.all_sent), self.all_sent
        )
        if with_kills:
            self.threads.start("process killer", self.process_killer.step, self.process_killer.stopped)

    def inject(self, faults: Sequence[Fault]) -> None:
        """Begin all faults, wait for the longest and end them, also when the run is interrupted."""
        self.phase = " + ".join(fault.name for fault in faults)
        with ExitStack() as begun:
            for fault in faults:
                fault.begin()
                begun.callback(fault.end)
                self.injected.append(fault.name)
            self.run_for(max(fault.seconds for fault in faults))

    def run_for(self, seconds: float, phase: str | None = None) -> None:
        """Go on for some time; raise what a thread has raised."""
        self.phase = phase or self.phase
        end = monotonic() + seconds
        while monotonic() < end:
            self.threads.raise_failure()
            self.leak_check.sample()
            self.observer(self)
            self.threads.wait(min(0.25, max(0.0, end - monotonic())))

    def finish_load(self, what: str, is_met: Callable[[], bool]) -> None:
        """Begin no more batches, and go on until all events are sent and a condition is met."""
        self.load_stopped.set()
        end = monotonic() + DRAIN_SECONDS
        while not (self.all_sent.is_set() and is_met()):
            if monotonic() > end:
                raise TimeoutError(f"{DRAIN_SECONDS:.0f} s have passed without this: {what}")
            self.run_for(0.25, f"waiting until {what}")

    def drain(self) -> None:
        """Send what is left, stop the kills, and wait until no message, event or batch is pending."""
        self.finish_load("the producer has sent everything", lambda: True)
        self.process_killer.stopped.set()
        self.phase = "draining, without faults and kills"
        end = monotonic() + DRAIN_SECONDS
        while monotonic() < end:
            self.run_for(0.5)
            self._count_pending()
            if self.pending and not any(self.pending.values()):
                return

    def reconcile(self) -> None:
        """Stop all threads and compare what was sent, what Postgres holds and what was published."""
        self.phase = "reconciling"
        self.threads.close()
        self.threads.raise_failure()
        depths = {queue.name: self.environment.depth(self._sqs, queue) for queue in self.environment.queues}
        self.results = Reconciliation(
            self.producer.batches,
            self.producer.poison,
            self.consumer.received,
            DatabaseSnapshot.read(self.environment.postgres),
            depths,
            self._take_dead_letters(),
        ).results()
        self.phase, self.finished_at = "done", monotonic()
        self.observer(self)

    def _take_dead_letters(self) -> list[dict[str, Any]]:
        """Receive and delete every dead letter."""
        letters: list[dict[str, Any]] = []
        for queue in self.environment.source_queues.values():
            url = queue.dead_letter_queue.url
            while received := self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            ).get("Messages", []):
                letters.extend(dict(message) for message in received)
                for message in received:
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return letters

    def _count_pending(self) -> None:
        """Count what is still on its way; if a server cannot be asked, keep the last counts."""
        with suppress(Error, OSError, BotoCoreError, ClientError):
            pending = {
                f"in {queue.name}": self.environment.depth(self._sqs, queue)
                for queue in self.environment.queues
            }
            postgres = self.environment.postgres
            rows = postgres.execute("SELECT status, count(*) FROM batches GROUP BY status")
            self.batch_statuses = {str(status): int(str(count)) for status, count in rows}
            [[unsent]] = postgres.execute("SELECT count(*) FROM outbox")
            pending["in the outbox"] = int(str(unsent))
            pending["batches open or awaited"] = sum(
                self.batch_statuses.get(status, 0) for status in ("open", "awaited")
            )
            self.pending = pending
