"""The servers of a random world: the fakes, watched, with one more turn after each call, while its answer is
on the way, and able to do late what its caller has given up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.adapters.postgres.errors import DisconnectedError
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError, ValidationError
from els_core.domain.outcomes import Assigned, Failed, Parked, Proposal, Word, name_of, slot_of
from tests.doubles.bus import FakeBus
from tests.doubles.coordinator import FakeCoordinator
from tests.doubles.queues import FakeDeadLetters
from tests.doubles.record import FakeRecord
from tests.doubles.turns import ProcessDied
from tests.doubles.unit import FakeUnit
from tests.simulation.calls import TooLateError, answered
from tests.simulation.letters import STUBBORN, UNSTORABLE
from tests.simulation.stores import FakeStores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from dev.books import Page
    from els_core.application.ports import Clock, Unit
    from els_core.application.taking_in import DeadLetter
    from els_core.domain.arrivals import Arrival, Key
    from els_core.domain.batches import Batch, Roll
    from els_core.domain.deciding import Change
    from els_core.domain.events import Message
    from els_core.domain.outcomes import Outcome
    from tests.doubles.rows import Database
    from tests.doubles.tables import Transaction
    from tests.doubles.turns import Turns
    from tests.simulation.calls import Watcher


class WatchedUnit(FakeUnit):
    """A transaction that remembers when it held its batches, and what it decided."""

    def __init__(self, database: Database, transaction: Transaction, watcher: Watcher) -> None:
        super().__init__(database, transaction)
        self._watcher = watcher
        self._held_at = database.clock.now()
        self.decided: dict[Key, Outcome] = {}

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        batches = super().lock(batch_ids)
        self._held_at = self._clock.now()
        return batches

    def record(self, changes: Sequence[Change]) -> None:
        fresh = [(change, *decided) for change in changes for decided in change.fresh()]
        if any(_is_refused(arrival, outcome) for _, arrival, outcome in fresh):
            with self._transaction.statement("record decisions"):
                raise ValidationError("record decisions", service="Postgres", details="not storable")
        super().record(changes)
        for change, arrival, outcome in fresh:
            self.decided[arrival.batch_id, arrival.identity] = outcome
            self._watcher.tell(
                "decides {} {}: {} {}",
                arrival.batch_id,
                arrival.identity,
                name_of(outcome),
                slot_of(outcome) or "",
            )
            if isinstance(outcome, Assigned | Failed):
                self._require_in_time(change)

    def _require_in_time(self, change: Change) -> None:
        deadline = change.before.deadline
        if deadline is not None and deadline <= self._held_at:
            self._watcher.breach(12, change.before.batch_id, "it took an arrival after its deadline")


def _is_refused(arrival: Arrival, outcome: Outcome) -> bool:
    name = arrival.original_file_name
    return name == UNSTORABLE or (name == STUBBORN and not isinstance(outcome, Parked))


class WatchedRecord(FakeRecord):
    """Postgres, which may be down, lose the answer to a commit, and commit or roll back late."""

    def __init__(self, clock: Clock, turns: Turns, watcher: Watcher) -> None:
        super().__init__(clock, turns)
        self._watcher = watcher
        self._units: dict[Transaction, WatchedUnit] = {}
        self.is_down = False

    def unit(self, transaction: Transaction) -> Unit:
        unit = self._units[transaction] = WatchedUnit(self.database, transaction, self._watcher)
        return unit

    def _once[T](self, work: Callable[[Transaction], T]) -> T:
        if self.is_down:
            raise ExternalServiceError("connect", service="Postgres")
        transaction = self.database.begin()
        try:
            answer = work(transaction)
        except ProcessDied:
            # Postgres notices later, and until then the locks are held.
            self.database.turns.spawn("late end of a session", transaction.roll_back)
            raise
        except TooLateError as given_up:
            self.database.turns.spawn("late commit", lambda: self._commit(transaction))
            raise DisconnectedError("commit", service="Postgres", details="struck") from given_up
        except BaseException:
            transaction.roll_back()
            raise
        self._commit(transaction)
        self.database.turns.pause("answer of commit")
        return answer

    def _commit(self, transaction: Transaction) -> None:
        transaction.commit()
        unit = self._units.pop(transaction, None)
        self._watcher.committed(unit.decided if unit else {})


class WatchedCoordinator(FakeCoordinator):
    """Redis, which may lie, and must never go back by itself to an older state of a batch."""

    def __init__(self, clock: Clock, watcher: Watcher, pick: Callable[[set[str]], str]) -> None:
        super().__init__(clock, watcher.turns, pick=pick)
        self._watcher = watcher
        self.is_lying = False

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        answers = answered(
            self._watcher, "propose", lambda: super(WatchedCoordinator, self).propose(arrivals, now)
        )
        if self.is_lying:
            answers = [self._lie() for _ in arrivals]
        for arrival, answer in zip(arrivals, answers, strict=True):
            slot = answer.essay_id or ""
            self._watcher.tell(
                "hears: {} {} {} {}", arrival.batch_id, arrival.identity, answer.word.value, slot
            )
        return answers

    def _lie(self) -> Proposal:
        word = self._watcher.course.one_of(list(Word))
        has_slot = word not in {Word.FULL, Word.UNKNOWN}
        slot = f"essay-{self._watcher.course.below(6)}" if has_slot else None
        return Proposal(word, slot)

    def install(self, rolls: Sequence[Roll], now: datetime) -> None:
        answered(self._watcher, "install", lambda: super(WatchedCoordinator, self).install(rolls, now))

    def _install(self, roll: Roll, now: datetime) -> None:
        batch = roll.batch
        before = self.memory(batch.batch_id).metadata
        self._watcher.tell("installs {} v{} {}", batch.batch_id, batch.version, batch.status.value)
        super()._install(roll, now)
        after = self.memory(batch.batch_id).metadata
        if before is not None and (after is None or after.version < before.version):
            self._watcher.breach(10, batch.batch_id, f"Redis knew version {before.version} and went back")
        if after is None and batch.status is not Status.AWAITED:
            self._watcher.breach(10, batch.batch_id, "Redis was told and does not know the batch")


class WatchedBus(FakeBus):
    """The bus."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher.turns)
        self._watcher = watcher

    def publish(self, messages: Sequence[Message]) -> list[UUID]:
        taken = answered(self._watcher, "publish", lambda: super(WatchedBus, self).publish(messages))
        for message in messages:
            word = "sends" if message.event_id in taken else "cannot send"
            self._watcher.tell("{} {} of {}", word, message.detail_type, message.batch_id)
        return taken


class WatchedDeadLetters(FakeDeadLetters):
    """The dead-letter queues."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher.turns)
        self._watcher = watcher

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        taken = answered(
            self._watcher, "send dead letters", lambda: super(WatchedDeadLetters, self).send(letters)
        )
        for letter in letters:
            self._watcher.tell("buries {}: {}", letter.record.message_id, letter.poison.error_code)
        return taken


class WatchedStores(FakeStores):
    """The stores of a random world, each able to be down."""

    def __init__(self, watcher: Watcher, pick: Callable[[set[str]], str]) -> None:
        super().__init__(watcher.turns)
        self.record = WatchedRecord(self.clock, watcher.turns, watcher)
        self.redis = self.cache = WatchedCoordinator(self.clock, watcher, pick)
        self.repository = self.record
        self.coordinator = self.cache

    def pages(self) -> dict[str, Page]:
        return {batch_id: self.page(batch_id) for batch_id in self.record.database.batches.committed}

    def page(self, batch_id: str) -> Page:
        """Return all that is committed of one batch, without what is parked for ever."""
        page = self._page(batch_id)
        stuck = {identity for owner, identity in self.stuck() if owner == batch_id}
        return replace(page, parked=page.parked - stuck) if stuck else page

    def stuck(self) -> set[Key]:
        """Return what is parked and can never be decided."""
        rows = self.record.database.parked.committed
        return {key for key, row in rows.items() if row.arrival.original_file_name == STUBBORN}
