"""The port `Repository` in memory; all processes of a test share it as their Postgres server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError, PrecededError
from els_core.domain.batches import Status
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import CooperativeScheduler
from tests.fakes.rows import Database
from tests.fakes.sweep_statements import within
from tests.fakes.transaction import FakeTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.repository import (
        Transaction,
    )
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.events import OutboxMessage
    from tests.fakes.rows import OutboxRow
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

    def delete_sent(self, positions: Sequence[int]) -> list[timedelta]:
        def work(transaction: TableTransaction) -> list[timedelta]:
            waited: list[timedelta] = []
            with transaction.statement("delete sent events"):
                for event_id, row in self.database.outbox.rows(transaction).items():
                    if row.position in positions:
                        self.database.outbox.delete(event_id, transaction)
                        waited.extend(self._note_sent(row, transaction))
            return waited

        return self._with_retries(work)

    def _note_sent(self, row: OutboxRow, transaction: TableTransaction) -> Iterator[timedelta]:
        """Note the first sending of a final result; yield how long it waited."""
        now = self.database.clock.now()
        for key, epoch in self.database.epochs.rows(transaction).items():
            if epoch.message.event_id == row.message.event_id and epoch.first_sent_at is None:
                self.database.epochs.update(key, lambda e: replace(e, first_sent_at=now), transaction)
                yield now - row.created_at

    def unsent(
        self, older_than: timedelta, after: int, max_bytes: int, *, is_final: bool
    ) -> list[OutboxMessage]:
        def work(transaction: TableTransaction) -> list[OutboxMessage]:
            with transaction.statement("read the outbox"):
                before = self.database.clock.now() - older_than
                rows = sorted(self.database.outbox.rows(transaction).values(), key=lambda row: row.position)
                page: list[OutboxMessage] = []
                size = 0
                for row in rows:
                    is_due = row.position > after and row.created_at <= before
                    if is_due and row.message.is_final is is_final and size < max_bytes:
                        page.append(replace(row.message, position=row.position))
                        size += len(row.message.detail.encode())
                return page

        return self._with_retries(work)

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        return self.transact(lambda transaction: transaction.snapshots(batch_ids))

    def purge(self, age: timedelta, max_slots: int) -> int:
        def work(transaction: TableTransaction) -> int:
            with transaction.statement("delete old batches"):
                before = self.database.clock.now() - age
                rows = sorted(
                    self.database.batches.rows(transaction).values(), key=lambda row: row.changed_at
                )
                waiting = {row.message.batch_id for row in self.database.outbox.rows(transaction).values()}
                old = [
                    row.batch
                    for row in rows
                    if _is_purgeable(row.batch.status)
                    and row.changed_at < before
                    and row.batch.batch_id not in waiting
                ]
                locked = [batch for batch in old if self._lock_if_free(batch.batch_id, transaction)]
                page = within(locked, max_slots)
                for batch in page:
                    self._delete(batch.batch_id, transaction)
                return len(page)

        return self._with_retries(work)

    def note_run(self, job: str) -> None:
        def work(transaction: TableTransaction) -> None:
            with transaction.statement("note a run"):
                now = self.database.clock.now()
                if not self.database.runs.insert(job, now, transaction):
                    self.database.runs.update(job, lambda _: now, transaction)

        self._with_retries(work)

    def _lock_if_free(self, batch_id: str, transaction: TableTransaction) -> bool:
        return self.database.batches.lock_if_free(batch_id, transaction) is not None

    def _delete(self, batch_id: str, transaction: TableTransaction) -> None:
        """Delete a batch with all rows that refer to it (ON DELETE CASCADE)."""
        self.database.batches.delete(batch_id, transaction)
        for table in self.database.dependent_tables:
            for key in [key for key in table.rows(transaction) if key[0] == batch_id]:
                table.delete(key, transaction)


def _is_purgeable(status: Status) -> bool:
    """Tell whether a batch of this status may be deleted past its retention."""
    match status:
        case Status.AWAITED | Status.READY | Status.FAILED | Status.TIMED_OUT | Status.CANCELLED:
            return True
        case Status.OPEN:
            return False
        case _:
            assert_never(status)
