"""A world in which time and failure are inputs: queues, functions, stores, a bus, and an upstream.

Every call that a function makes passes a gate, where its process may die, or lose the answer.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from dev.invariants.checks import Violation, violations
from dev.invariants.evidence import Evidence
from els_core.application.post_commit import PostCommit
from els_core.bootstrap import Container
from els_core.domain.batches import Registration
from els_core.domain.errors import FaultError
from els_core.settings import Settings
from tests.fakes.bus import FakeBus
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import ProcessDied, RoundRobin, Turns
from tests.fakes.failpoints import (
    GatedClock,
    GatedCoordinator,
    GatedDeadLetters,
    GatedPublisher,
    GatedRepository,
    OpenGate,
    Point,
)
from tests.fakes.queues import VISIBILITY, FakeDeadLetters, FakeQueue
from tests.simulation.stores import FakeStores, Stores
from tests.simulation.upstream import as_read, body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.message_consumer import MessageConsumer
    from els_core.application.ports.messaging import DeadLetterQueue
    from els_core.domain.arrivals import Arrival
    from tests.fakes.failpoints import Gate

PARKING = timedelta(hours=1)
SETTINGS = Settings.model_validate(
    {
        "ELS_DATABASE_URL": "postgresql+pg8000://nowhere",
        "ELS_REDIS_URL": "redis://nowhere",
        "ELS_PARKING_SECONDS": int(PARKING.total_seconds()),
    }
)
ROUNDS = 12


def require_faults(faults: Sequence[Exception]) -> None:
    """Raise what is no fault of a store but an error of ours, though it would be tried again."""
    for fault in faults:
        if not isinstance(fault, FaultError):
            raise fault


class NotQuietError(Exception):
    """Something is still on its way after every queue had its chances."""


class Process(Container):
    """One function copy, composed as in AWS, with a gate before every port."""

    def __init__(self, world: World) -> None:
        super().__init__(SETTINGS)
        self._world = world

    @cached_property
    def post_commit(self) -> PostCommit:
        world = self._world
        return PostCommit(
            GatedCoordinator(world.stores.coordinator, world.gate),
            GatedRepository(world.stores.repository, world.gate),
            GatedPublisher(world.bus, world.gate),
            GatedClock(world.clock, world.gate),
        )

    @cached_property
    def dead_letters(self) -> DeadLetterQueue:
        world = self._world
        return GatedDeadLetters(world.dead_letters, world.gate)


class World:
    """Everything; `gate` is where the processes of this world pass."""

    def __init__(
        self, stores: Stores | None = None, turns: Turns | None = None, gate: Gate | None = None
    ) -> None:
        self.turns = turns or Turns()
        self.stores = stores or FakeStores(self.turns)
        self.gate = gate or OpenGate()
        self.clock = FakeClock()
        self.bus = FakeBus(self.turns)
        self.dead_letters = FakeDeadLetters(self.turns)
        self.registrations = FakeQueue("registrations", self.clock, self.turns)
        self.arrivals = FakeQueue("arrivals", self.clock, self.turns)
        self.registered: list[Registration] = []
        self.sent: list[Arrival] = []
        self.poison: list[str] = []
        self.unfinished = 0

    @property
    def fakes(self) -> FakeStores:
        """Return the stores of a world in memory; raise `TypeError` for a real one."""
        if not isinstance(self.stores, FakeStores):
            raise TypeError("this world has real stores")
        return self.stores

    def send(self, *announced: Arrival | Registration | str) -> None:
        """Put events into the queue that their rule feeds; a text is poison and goes to the arrivals."""
        for one in announced:
            if isinstance(one, str):
                self.poison.append(one)
                self.arrivals.send(one)
            elif isinstance(one, Registration):
                self.registered.append(as_read(one))
                self.registrations.send(body_of(one))
            else:
                self.sent.append(one)
                self.arrivals.send(body_of(one))

    def register(self, limit: int = 10) -> bool:
        """Let one process take registrations; tell whether there were any."""
        return self._invoke(lambda: self._take(self.registrations, Process(self).register_batch(), limit))

    def provision(self, limit: int = 10) -> bool:
        """Let one process take arrivals; tell whether there were any."""
        return self._invoke(lambda: self._take(self.arrivals, Process(self).provision_content(), limit))

    def sweep(self) -> None:
        """Let one process sweep."""
        self._invoke(lambda: bool(Process(self).expire_batches().run(lambda: True)))

    def relay(self) -> None:
        """Let one process send what was left behind."""
        self._invoke(lambda: bool(Process(self).publish_outbox().run(lambda: True)))

    def _take[Item, Report](
        self, queue: FakeQueue, intake: MessageConsumer[Item, Report], limit: int
    ) -> bool:
        records = queue.receive(limit)
        if records:
            taken = intake.consume(records)
            require_faults(taken.faults)
            done = [
                record.message_id for record in records if record.message_id not in taken.batch_item_failures
            ]
            self.gate.let(Point("SQS", "acknowledge"), lambda: queue.acknowledge(done))
        return bool(records)

    def _invoke(self, work: Callable[[], bool]) -> bool:
        """Run a process to its end or its death; a fault that escapes fails the invocation only."""
        try:
            return work()
        except ProcessDied:
            self.unfinished += 1
            self.mourn()
        except FaultError:
            self.unfinished += 1
        return True

    def mourn(self) -> None:
        """Do what is to be done when a process died."""

    def at_once(self, *works: Callable[[], object]) -> None:
        """Let processes take turns at each call; on real stores, where locks block, in sequence."""
        if not isinstance(self.stores, FakeStores):
            for work in works:
                work()
            return
        for number, work in enumerate(works):
            self.turns.spawn(f"{number}", work)
        self.turns.run(RoundRobin())

    def advance(self, span: timedelta) -> None:
        """Let time pass everywhere."""
        self.clock.advance(span)
        self.stores.advance(span)

    def drain(self) -> None:
        """Redeliver, sweep and relay until nothing is on its way; raise `NotQuietError` if that never is."""
        for _ in range(ROUNDS):
            self.advance(VISIBILITY)
            unfinished = self.unfinished
            while self.register() | self.provision():
                pass
            self.sweep()
            self.relay()
            if self.is_quiet and self.unfinished == unfinished:
                return
        raise NotQuietError(f"outbox {self.stores.outbox()}, arrivals empty: {self.arrivals.is_empty}")

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing is on its way."""
        return self.registrations.is_empty and self.arrivals.is_empty and not self.stores.outbox()

    def books(self) -> Evidence:
        """Return everything that can be looked at."""
        return Evidence(
            self.stores.now(),
            self.registered,
            self.sent,
            self.stores.pages(),
            self.stores.outbox(),
            self.bus.taken,
        )

    def breaches(self, *, is_quiet: bool) -> list[Violation]:
        """Return every broken promise."""
        found = violations(self.books(), is_quiescent=is_quiet)
        if is_quiet and set(self.poison) != {letter.message.body for letter in self.dead_letters.letters}:
            found.append(
                Violation(11, "-", f"{len(self.poison)} poisonous, {self.dead_letters.letters} buried")
            )
        if self.registrations.dead or self.arrivals.dead:
            found.append(Violation(11, "-", "a message came back until its queue gave it up"))
        return found

    def echo(self) -> list[str]:
        """Send all arrivals once more, and return what is then not as it was."""
        self.gate = OpenGate()
        before, events = self.stores.pages(), self.bus.kinds()
        for arrival in self.sent:
            self.arrivals.send(body_of(arrival))
        while self.provision():
            pass
        pages = self.stores.pages()
        wrong = [
            f"batch {batch_id} changed by repetitions"
            for batch_id, page in pages.items()
            if page.comparable() != before[batch_id].comparable()
        ]
        if self.bus.kinds() != events:
            wrong.append("repetitions were announced")
        return wrong

    def misknown(self) -> list[str]:
        """Return what Redis still has wrong; after an echo, every batch had its next event."""
        return [what for page in self.stores.pages().values() for what in self.stores.misknown(page)]
