"""The simulated environment: queues, function instances, stores, a bus and a producer. Time is an input.

Each call of a port is a failpoint: a fault injector may kill the process there or lose the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from dev.invariants.checks import Violation, violations
from dev.invariants.evidence import Evidence
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration
from els_core.domain.errors import FaultError
from tests.fakes.bus import FakeBus
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import CooperativeScheduler, ProcessKilled, RoundRobin
from tests.fakes.failpoints import (
    Failpoint,
    NoFaults,
)
from tests.fakes.queues import VISIBILITY_TIMEOUT, FakeDeadLetterQueue, FakeQueue
from tests.simulation.processes import Process
from tests.simulation.producer import as_parsed, body_of
from tests.simulation.stores import FakeStores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from els_core.application.commands import CommandRequest
    from els_core.application.message_consumer import MessageConsumer
    from els_core.domain.arrivals import Arrival
    from tests.fakes.failpoints import FaultInjector
    from tests.simulation.stores import Stores

MAX_ROUNDS = 12  # of redelivery, sweep and relay until nothing is in flight


class NotQuiescentError(Exception):
    """Something is still in flight after the last round of redelivery."""


class Environment:
    """Everything outside the service; `injector` decides what happens at each failpoint."""

    stores: Stores

    def __init__(
        self,
        stores: Stores | None = None,
        scheduler: CooperativeScheduler | None = None,
        injector: FaultInjector | None = None,
    ) -> None:
        self.scheduler = scheduler or CooperativeScheduler()
        self.stores = stores or FakeStores(self.scheduler)
        self.injector = injector or NoFaults()
        self.clock = FakeClock()
        self.bus = FakeBus(self.scheduler)
        self.dead_letters = FakeDeadLetterQueue(self.scheduler)
        self.registrations = FakeQueue("registrations", self.clock, self.scheduler)
        self.arrivals = FakeQueue("arrivals", self.clock, self.scheduler)
        self.commands = FakeQueue("commands", self.clock, self.scheduler)
        self.commanded: list[CommandRequest] = []
        self.registered: list[Registration] = []
        self.sent: list[Arrival] = []
        self.poison: list[str] = []
        self.failed_invocations = 0

    @property
    def fakes(self) -> FakeStores:
        """Return the in-memory stores; raise `TypeError` when the stores are real."""
        if not isinstance(self.stores, FakeStores):
            raise TypeError("this environment has real stores")
        return self.stores

    def send(self, *events: Arrival | Registration | str) -> None:
        """Send events to the queue that their rule feeds; a text is a poison message for the arrivals."""
        for event in events:
            match event:
                case str():
                    self.poison.append(event)
                    self.arrivals.send(event)
                case Registration():
                    self.registered.append(as_parsed(event))
                    self.registrations.send(body_of(event))
                case Content() | Failure():
                    self.sent.append(event)
                    self.arrivals.send(body_of(event))
                case _:
                    assert_never(event)

    def new_process(self) -> Process:
        """Return a new function instance."""
        return Process(self)

    def register(self, limit: int = 10) -> bool:
        """Invoke the consumer of registrations; return False when its queue is empty."""
        return self._invoke(
            lambda: self._consume(self.registrations, self.new_process().register_batch(), limit)
        )

    def provision(self, limit: int = 10) -> bool:
        """Invoke the consumer of arrivals; return False when its queue is empty."""
        return self._invoke(
            lambda: self._consume(self.arrivals, self.new_process().provision_content(), limit)
        )

    def steer(self, limit: int = 10) -> bool:
        """Invoke the consumer of commands; return False when its queue is empty."""
        return self._invoke(lambda: self._consume(self.commands, self.new_process().steer_batch(), limit))

    def sweep(self) -> None:
        """Invoke the sweep."""
        self._invoke(lambda: bool(self.new_process().expire_batches().run(lambda: True)))

    def relay(self) -> None:
        """Invoke the outbox relay."""
        self._invoke(lambda: bool(self.new_process().publish_outbox().run(lambda: True)))

    def _consume[Item, Report](
        self, queue: FakeQueue, consumer: MessageConsumer[Item, Report], limit: int
    ) -> bool:
        messages = queue.receive(limit)
        if messages:
            result = consumer.consume(messages)
            _require_faults(result.faults)
            done = [
                message.message_id
                for message in messages
                if message.message_id not in result.batch_item_failures
            ]
            self.injector.run(Failpoint("SQS", "acknowledge"), lambda: queue.acknowledge(done))
        return bool(messages)

    def _invoke(self, work: Callable[[], bool]) -> bool:
        """Run one invocation until it returns, is killed or raises a fault."""
        try:
            return work()
        except ProcessKilled:
            self.failed_invocations += 1
            self.on_process_killed()
        except FaultError:
            self.failed_invocations += 1
        return True

    def on_process_killed(self) -> None:
        """Do nothing; a subclass may check invariants at this moment."""

    def run_concurrently(self, *works: Callable[[], object]) -> None:
        """Interleave the works call by call; on real stores, where locks block, run them in sequence."""
        if not isinstance(self.stores, FakeStores):
            for work in works:
                work()
            return
        for number, work in enumerate(works):
            self.scheduler.spawn(f"{number}", work)
        self.scheduler.run(RoundRobin())

    def advance(self, span: timedelta) -> None:
        """Move all clocks."""
        self.clock.advance(span)
        self.stores.advance(span)

    def drain(self) -> None:
        """Redeliver, sweep and relay until nothing is in flight, else raise `NotQuiescentError`."""
        for _ in range(MAX_ROUNDS):
            self.advance(VISIBILITY_TIMEOUT)
            failed_before = self.failed_invocations
            while self.register() | self.provision() | self.steer():
                pass
            self.sweep()
            self.relay()
            if self.is_quiescent and self.failed_invocations == failed_before:
                return
        raise NotQuiescentError(f"outbox {self.stores.outbox()}, arrivals empty: {self.arrivals.is_empty}")

    @property
    def is_quiescent(self) -> bool:
        """Tell whether nothing is in flight: no message in a queue, no event in the outbox."""
        queues = (self.registrations, self.arrivals, self.commands)
        return all(queue.is_empty for queue in queues) and not self.stores.outbox()

    def evidence(self) -> Evidence:
        """Return everything that can be observed."""
        return Evidence(
            self.stores.now(),
            self.registered,
            self.sent,
            self.stores.batches(),
            self.stores.outbox(),
            self.bus.accepted,
            self.commanded,
        )

    def violations(self, *, is_quiescent: bool) -> list[Violation]:
        """Return every violated invariant."""
        found = violations(self.evidence(), is_quiescent=is_quiescent)
        dead_letters = {letter.message.body for letter in self.dead_letters.letters}
        if is_quiescent and set(self.poison) != dead_letters:
            found.append(Violation(11, "-", f"poison messages {self.poison}, dead letters {dead_letters}"))
        if self.registrations.dead_lettered or self.arrivals.dead_lettered:
            found.append(Violation(11, "-", "a message reached the maximum receive count of its queue"))
        return found

    def changes_by_redelivery(self) -> list[str]:
        """Deliver all arrivals once more, without faults; return what that changed."""
        self.injector = NoFaults()
        before, events = self.stores.batches(), self.bus.count_by_type()
        for arrival in self.sent:
            self.arrivals.send(body_of(arrival))
        while self.provision():
            pass
        changes = [
            f"redelivery changed batch {batch_id}"
            for batch_id, found in self.stores.batches().items()
            if found.comparable() != before[batch_id].comparable()
        ]
        if self.bus.count_by_type() != events:
            changes.append("redelivery published new events")
        return changes

    def coordinator_errors(self) -> list[str]:
        """Return what Redis has wrong. After a redelivery of all arrivals it should have nothing wrong."""
        return [
            error
            for found in self.stores.batches().values()
            for error in self.stores.coordinator_errors(found)
        ]


def _require_faults(errors: Sequence[Exception]) -> None:
    """Raise the first error that is no `FaultError`: that is a bug of ours, though it would be retried."""
    for error in errors:
        if not isinstance(error, FaultError):
            raise error
