"""The port `Repository` in memory; all processes of a test share it as their Postgres server."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError, PrecededError
from els_core.domain.batches import Status
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import CooperativeScheduler
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

ATTEMPTS = 4  # as many as the real repository makes


class FakePostgres:
    """A `Repository` that repeats a transaction after a conflict or a lost connection."""

    def __init__(self, clock: Clock | None = None, scheduler: CooperativeScheduler | None = None) -> None:
        self.database = Database(clock or FakeClock(), scheduler or CooperativeScheduler())

    def transaction(self, tables: TableTransaction) -> Transaction:
        """Return the port `Transaction` for a transaction on the tables."""
        return FakeTransaction(self.database, tables)

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        def work_and_commit(transaction: TableTransaction) -> T:
            answer = work(self.transaction(transaction))
            self.database.scheduler.pause("commit")
            return answer

        return self._with_retries(work_and_commit)

    def _with_retries[T](self, work: Callable[[TableTransaction], T]) -> T:
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._attempt(work)
            except (ConflictError, DisconnectedError, PrecededError):
                if not left:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _attempt[T](self, work: Callable[[TableTransaction], T]) -> T:
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

        self._with_retries(work)

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        def work(transaction: TableTransaction) -> list[tuple[int, OutboxMessage]]:
            with transaction.statement("read the outbox"):
                before = self.database.clock.now() - older_than
                rows = self.database.outbox.rows(transaction).values()
                due = [row for row in rows if row.position > after and row.created_at <= before]
                due.sort(key=lambda row: row.position)
                return [(row.position, row.message) for row in due[:limit]]

        return self._with_retries(work)

    def purge(self, age: timedelta, limit: int) -> int:
        def work(transaction: TableTransaction) -> int:
            with transaction.statement("delete old batches"):
                before = self.database.clock.now() - age
                rows = sorted(
                    self.database.batches.rows(transaction).values(), key=lambda row: row.changed_at
                )
                old = [r for r in rows if _is_purgeable(r.batch.status) and r.changed_at < before]
                locked = [r.batch.batch_id for r in old if self._lock_if_free(r.batch.batch_id, transaction)]
                for batch_id in locked[:limit]:
                    self._delete(batch_id, transaction)
                return len(locked[:limit])

        return self._with_retries(work)

    def _lock_if_free(self, batch_id: str, transaction: TableTransaction) -> bool:
        return self.database.batches.lock_if_free(batch_id, transaction) is not None

    def _delete(self, batch_id: str, transaction: TableTransaction) -> None:
        """Delete a batch with all rows that refer to it (ON DELETE CASCADE)."""
        self.database.batches.delete(batch_id, transaction)
        for table in self.database.dependent_tables:
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

        return self._with_retries(work)


def _is_purgeable(status: Status) -> bool:
    """Tell whether a batch of this status may be deleted past its retention."""
    match status:
        case Status.AWAITED | Status.READY | Status.FAILED | Status.TIMED_OUT:
            return True
        case Status.OPEN:
            return False
        case _:
            assert_never(status)
