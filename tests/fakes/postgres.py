"""The port `Repository` in memory, and the server behind it that all processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError, PrecededError
from els_core.domain.batches import Status
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import Turns
from tests.fakes.rows import Database, snapshot_of
from tests.fakes.transaction import FakeTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.repository import Transaction
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.events import OutboxMessage
    from tests.fakes.tables import TableTransaction

ATTEMPTS = 4  # as the real one


class FakePostgres:
    """The record; a `Repository` whose transactions run again after a conflict or a cut connection."""

    def __init__(self, clock: Clock | None = None, turns: Turns | None = None) -> None:
        self.database = Database(clock or FakeClock(), turns or Turns())

    def transaction(self, transaction: TableTransaction) -> Transaction:
        """Return the unit of a transaction."""
        return FakeTransaction(self.database, transaction)

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        def whole(transaction: TableTransaction) -> T:
            answer = work(self.transaction(transaction))
            self.database.turns.pause("commit")
            return answer

        return self._again(whole)

    def _again[T](self, work: Callable[[TableTransaction], T]) -> T:
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._once(work)
            except (ConflictError, DisconnectedError, PrecededError):
                if not left:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _once[T](self, work: Callable[[TableTransaction], T]) -> T:
        transaction = self.database.begin()
        try:
            answer = work(transaction)
        except BaseException:
            transaction.roll_back()
            raise
        transaction.commit()
        return answer

    def delete_sent(self, event_ids: Sequence[UUID]) -> None:
        def work(transaction: TableTransaction) -> None:
            with transaction.statement("delete sent events"):
                for event_id in event_ids:
                    self.database.outbox.delete(str(event_id), transaction)

        self._again(work)

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        def work(transaction: TableTransaction) -> list[tuple[int, OutboxMessage]]:
            with transaction.statement("read the outbox"):
                before = self.database.clock.now() - older_than
                rows = self.database.outbox.rows(transaction).values()
                due = [row for row in rows if row.position > after and row.created_at <= before]
                due.sort(key=lambda row: row.position)
                return [(row.position, row.message) for row in due[:limit]]

        return self._again(work)

    def purge(self, age: timedelta, limit: int) -> int:
        def work(transaction: TableTransaction) -> int:
            with transaction.statement("delete old batches"):
                before = self.database.clock.now() - age
                rows = sorted(
                    self.database.batches.rows(transaction).values(), key=lambda row: row.changed_at
                )
                old = [r for r in rows if r.batch.status is not Status.OPEN and r.changed_at < before]
                gone = [r.batch.batch_id for r in old if self._is_free(r.batch.batch_id, transaction)][:limit]
                for batch_id in gone:
                    self._delete(batch_id, transaction)
                return len(gone)

        return self._again(work)

    def _is_free(self, batch_id: str, transaction: TableTransaction) -> bool:
        return self.database.batches.lock_if_free(batch_id, transaction) is not None

    def _delete(self, batch_id: str, transaction: TableTransaction) -> None:
        """Delete a batch with all that belongs to it."""
        self.database.batches.delete(batch_id, transaction)
        for table in self.database.belongings:
            for key in [key for key in table.rows(transaction) if key[0] == batch_id]:
                table.delete(key, transaction)

    def find(self, batch_id: str) -> tuple[BatchSnapshot, datetime] | None:
        def work(transaction: TableTransaction) -> tuple[BatchSnapshot, datetime] | None:
            with transaction.statement("read a batch"):
                row = self.database.batches.rows(transaction).get(batch_id)
                if row is None:
                    return None
                essays = self.database.essays.rows(transaction).values()
                failures = self.database.failures.rows(transaction).values()
                return snapshot_of(row, essays, failures), self.database.clock.now()

        return self._again(work)
