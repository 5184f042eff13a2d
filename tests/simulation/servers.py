"""The servers of a random world: the fakes, watched, with one more turn after each call, while its answer is
on the way, and able to do late what its caller has given up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.adapters.postgres.errors import DisconnectedError
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError, RejectedByStoreError
from els_core.domain.outcomes import Assigned, Failed, Parked, Proposal, ProposalKind, name_of, slot_of
from tests.fakes.bus import FakeBus
from tests.fakes.cooperative_scheduler import ProcessDied
from tests.fakes.coordinator import FakeCoordinator
from tests.fakes.postgres import FakePostgres
from tests.fakes.queues import FakeDeadLetters
from tests.fakes.transaction import FakeTransaction
from tests.simulation.calls import TooLateError, answered
from tests.simulation.messages import STUBBORN, UNSTORABLE
from tests.simulation.stores import FakeStores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from dev.invariants.evidence import BatchEvidence
    from els_core.application.messages import DeadLetter
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.repository import Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Outcome
    from tests.fakes.cooperative_scheduler import Turns
    from tests.fakes.rows import Database
    from tests.fakes.tables import TableTransaction
    from tests.simulation.calls import Watcher


class WatchedTransaction(FakeTransaction):
    """A transaction that remembers when it held its batches, and what it decided."""

    def __init__(self, database: Database, transaction: TableTransaction, watcher: Watcher) -> None:
        super().__init__(database, transaction)
        self._watcher = watcher
        self._held_at = database.clock.now()
        self.decided: dict[ArrivalKey, Outcome] = {}

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        batches = super().lock(batch_ids)
        self._held_at = self._clock.now()
        return batches

    def record(self, changes: Sequence[BatchChange]) -> None:
        fresh = [(change, *decided) for change in changes for decided in change.fresh()]
        if any(_is_refused(arrival, outcome) for _, arrival, outcome in fresh):
            with self._transaction.statement("record decisions"):
                raise RejectedByStoreError("record decisions", service="Postgres", details="not storable")
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

    def _require_in_time(self, change: BatchChange) -> None:
        deadline = change.before.deadline
        if deadline is not None and deadline <= self._held_at:
            self._watcher.breach(12, change.before.batch_id, "it took an arrival after its deadline")


def _is_refused(arrival: Arrival, outcome: Outcome) -> bool:
    name = arrival.original_file_name
    return name == UNSTORABLE or (name == STUBBORN and not isinstance(outcome, Parked))


class WatchedPostgres(FakePostgres):
    """Postgres, which may be down, lose the answer to a commit, and commit or roll back late."""

    def __init__(self, clock: Clock, turns: Turns, watcher: Watcher) -> None:
        super().__init__(clock, turns)
        self._watcher = watcher
        self._watched: dict[TableTransaction, WatchedTransaction] = {}
        self.is_down = False

    def transaction(self, tables: TableTransaction) -> Transaction:
        watched = self._watched[tables] = WatchedTransaction(self.database, tables, self._watcher)
        return watched

    def _once[T](self, work: Callable[[TableTransaction], T]) -> T:
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

    def _commit(self, transaction: TableTransaction) -> None:
        transaction.commit()
        watched = self._watched.pop(transaction, None)
        self._watcher.committed(watched.decided if watched else {})


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
        word = self._watcher.course.one_of(list(ProposalKind))
        has_slot = word not in {ProposalKind.FULL, ProposalKind.UNKNOWN}
        slot = f"essay-{self._watcher.course.below(6)}" if has_slot else None
        return Proposal(word, slot)

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        answered(self._watcher, "install", lambda: super(WatchedCoordinator, self).install(snapshots, now))

    def _install(self, snapshot: BatchSnapshot, now: datetime) -> None:
        batch = snapshot.batch
        before = self.memory(batch.batch_id).metadata
        self._watcher.tell("installs {} v{} {}", batch.batch_id, batch.version, batch.status.value)
        super()._install(snapshot, now)
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

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
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
            self._watcher.tell("buries {}: {}", letter.message.message_id, letter.poison.error_code)
        return taken


class WatchedStores(FakeStores):
    """The stores of a random world, each able to be down."""

    def __init__(self, watcher: Watcher, pick: Callable[[set[str]], str]) -> None:
        super().__init__(watcher.turns)
        self.record = WatchedPostgres(self.clock, watcher.turns, watcher)
        self.redis = self.cache = WatchedCoordinator(self.clock, watcher, pick)
        self.repository = self.record
        self.coordinator = self.cache

    def pages(self) -> dict[str, BatchEvidence]:
        return {batch_id: self.page(batch_id) for batch_id in self.record.database.batches.committed}

    def page(self, batch_id: str) -> BatchEvidence:
        """Return all that is committed of one batch, without what is parked for ever."""
        page = self._page(batch_id)
        stuck = {identity for owner, identity in self.stuck() if owner == batch_id}
        return replace(page, parked=page.parked - stuck) if stuck else page

    def stuck(self) -> set[ArrivalKey]:
        """Return what is parked and can never be decided."""
        rows = self.record.database.parked.committed
        return {key for key, row in rows.items() if row.arrival.original_file_name == STUBBORN}
