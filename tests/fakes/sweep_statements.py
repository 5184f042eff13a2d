"""The statements of the sweep in memory: overdue batches and overdue parked arrivals, page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.application.ports.repository import ParkedArrival
from els_core.domain.arrivals import key_of
from els_core.domain.batches import Batch, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from els_core.application.ports.repository import DeadlinePosition
    from tests.fakes.rows import Database, ParkedRow
    from tests.fakes.tables import TableTransaction


class SweepStatements:
    """What a transaction of the sweep can do."""

    def __init__(self, database: Database, transaction: TableTransaction) -> None:
        self._database = database
        self._transaction = transaction
        self._clock = database.clock

    def overdue(self, after: DeadlinePosition | None, max_slots: int) -> tuple[datetime, list[Batch]]:
        with self._transaction.statement("find overdue batches"):
            now = self._clock.now()
            rows = self._database.batches.rows(self._transaction).values()
            start = (after.deadline, after.batch_id) if after else None
            due = [
                at
                for row in rows
                if row.batch.deadline is not None and _is_due(row.batch, now)
                for at in [(row.batch.deadline, row.batch.batch_id)]
                if start is None or at > start
            ]
            locked = (
                self._database.batches.lock_if_free(batch_id, self._transaction)
                for _, batch_id in sorted(due)
            )
            batches = [row.batch for row in locked if row is not None and _is_due(row.batch, now)]
        return self._now(), within(batches, max_slots)

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        with self._transaction.statement("find overdue parked arrivals"):
            before = self._clock.now() - waited
            parked = self._database.parked.rows(self._transaction)
            overdue = [
                row
                for row in sorted(parked.values(), key=lambda row: row.parked_at)
                if not row.announced_at and row.parked_at <= before and self._is_awaited(row.arrival.batch_id)
            ][:limit]
            marked = [
                (batch, self._mark_announced(batch_id, overdue))
                for batch_id in sorted({row.arrival.batch_id for row in overdue})
                if (batch := self._lock_awaited(batch_id)) is not None
            ]
        return self._now(), marked

    def _is_awaited(self, batch_id: str) -> bool:
        row = self._database.batches.rows(self._transaction).get(batch_id)
        return row is not None and row.batch.status is Status.AWAITED

    def _lock_awaited(self, batch_id: str) -> Batch | None:
        """Lock an awaited batch unless another transaction holds it, and increment its version."""
        row = self._database.batches.lock_if_free(batch_id, self._transaction)
        if row is None or row.batch.status is not Status.AWAITED:
            return None
        after = replace(row.batch, version=row.batch.version + 1)
        self._database.batches.update(batch_id, lambda row: replace(row, batch=after), self._transaction)
        return after

    def _mark_announced(self, batch_id: str, overdue: Sequence[ParkedRow]) -> list[ParkedArrival]:
        rows = sorted((row for row in overdue if row.arrival.batch_id == batch_id), key=_position)
        now = self._clock.now()
        for row in rows:
            key = key_of(row.arrival)
            self._database.parked.update(key, lambda row: replace(row, announced_at=now), self._transaction)
        return [parked_arrival(row) for row in rows]

    def _now(self) -> datetime:
        with self._transaction.statement("read the time"):
            return self._clock.now()


def within(batches: Sequence[Batch], max_slots: int) -> list[Batch]:
    """Return the first batches that have `max_slots` slots together, but at least one."""
    page: list[Batch] = []
    slots = 0
    for batch in batches:
        slots += batch.expected_count
        if page and slots > max_slots:
            break
        page.append(batch)
    return page


def _is_due(batch: Batch, now: datetime) -> bool:
    return batch.status is Status.OPEN and batch.deadline is not None and batch.deadline <= now


def _position(row: ParkedRow) -> int:
    return row.position


def parked_arrival(row: ParkedRow) -> ParkedArrival:
    arrival = row.arrival if row.is_readable else None
    return ParkedArrival(row.arrival.batch_id, row.arrival.identity, arrival)
