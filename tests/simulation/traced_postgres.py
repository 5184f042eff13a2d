"""Postgres as a traced server: it may be down, lose the answer to a commit, and commit or roll back late."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never, override

from els_core.adapters.postgres.errors import DisconnectedError
from els_core.domain.errors import ExternalServiceError, RejectedByStoreError
from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    Late,
    Parked,
    Superseded,
    name_of,
    slot_of,
)
from tests.fakes.cooperative_scheduler import ProcessKilled
from tests.fakes.postgres import FakePostgres
from tests.fakes.transaction import FakeTransaction
from tests.simulation.messages import REJECTED_ALWAYS, REJECTED_UNLESS_PARKED
from tests.simulation.observer import ClientTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.repository import Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import Outcome
    from tests.fakes.rows import Database
    from tests.fakes.tables import TableTransaction
    from tests.simulation.observer import Observer


class TracedTransaction(FakeTransaction):
    """A transaction that keeps when it locked its batches and what it decided."""

    def __init__(self, database: Database, transaction: TableTransaction, observer: Observer) -> None:
        super().__init__(database, transaction)
        self._observer = observer
        self._locked_at = database.clock.now()
        self.decided: dict[ArrivalKey, Outcome] = {}

    @override
    def lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> dict[str, Batch]:
        batches = super().lock(batch_ids, only_known=only_known)
        self._locked_at = self._clock.now()
        return batches

    @override
    def record(self, changes: Sequence[BatchChange]) -> None:
        fresh = [(change, *decided) for change in changes for decided in change.fresh()]
        if any(_is_rejected(arrival, outcome) for _, arrival, outcome in fresh):
            with self._transaction.statement("record decisions"):
                raise RejectedByStoreError("record decisions", service="Postgres", details="not storable")
        super().record(changes)
        for change, arrival, outcome in fresh:
            self.decided[arrival.batch_id, arrival.identity] = outcome
            slot = slot_of(outcome) or ""
            self._observer.log(
                "decides {} {}: {} {}", arrival.batch_id, arrival.identity, name_of(outcome), slot
            )
            if slot:
                self._require_before_deadline(change)

    def _require_before_deadline(self, change: BatchChange) -> None:
        is_reopened = change.after.epoch > change.before.epoch  # with a deadline of its own
        deadline = None if is_reopened else change.before.deadline
        if deadline is not None and deadline <= self._locked_at:
            self._observer.fail(12, change.before.batch_id, "a slot was used after the deadline")


def _is_rejected(arrival: Arrival, outcome: Outcome) -> bool:
    name = arrival.original_file_name
    match outcome:
        case Parked():
            return name == REJECTED_ALWAYS
        case Assigned() | Failed() | Excess() | Late() | Superseded() | Duplicate():
            return name in {REJECTED_ALWAYS, REJECTED_UNLESS_PARKED}
        case _:
            assert_never(outcome)


class TracedPostgres(FakePostgres):
    """Postgres, which may be down, lose the answer to a commit, and commit or roll back late."""

    def __init__(self, clock: Clock, observer: Observer) -> None:
        super().__init__(clock, observer.scheduler)
        self._observer = observer
        self._transactions: dict[TableTransaction, TracedTransaction] = {}
        self.is_down = False

    @override
    def transaction(self, tables: TableTransaction) -> Transaction:
        transaction = self._transactions[tables] = TracedTransaction(self.database, tables, self._observer)
        return transaction

    @override
    def _attempt[T](self, work: Callable[[TableTransaction], T]) -> T:
        if self.is_down:
            raise ExternalServiceError("connect", service="Postgres")
        tables = self.database.begin()
        try:
            answer = work(tables)
        except ProcessKilled:
            # Postgres notices the lost connection later; until then the session holds its locks.
            self.database.scheduler.spawn("late rollback", tables.roll_back)
            raise
        except ClientTimeoutError as timeout:
            self.database.scheduler.spawn("late commit", lambda: self._commit(tables))
            raise DisconnectedError("commit", service="Postgres", details="injected") from timeout
        except BaseException:
            tables.roll_back()
            raise
        self._commit(tables)
        self.database.scheduler.pause("answer of commit")
        return answer

    def _commit(self, tables: TableTransaction) -> None:
        tables.commit()
        transaction = self._transactions.pop(tables, None)
        self._observer.committed(transaction.decided if transaction else {})
