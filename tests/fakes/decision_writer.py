"""Writes decisions row by row, as the SQL statement does; takes only slots that are still available."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Superseded
from tests.fakes.rows import (
    BatchRow,
    EssayRow,
    ExcessRow,
    FailureRow,
    ParkedRow,
    SlotStatus,
    require_storable,
)
from tests.fakes.steering_writer import SteeringWriter

if TYPE_CHECKING:
    from collections import Counter

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import Outcome
    from tests.fakes.rows import Database
    from tests.fakes.tables import TableTransaction


class DecisionWriter:
    """Writes the changes of one statement."""

    def __init__(self, database: Database, transaction: TableTransaction) -> None:
        self._database = database
        self._transaction = transaction

    def write(self, change: BatchChange) -> bool:
        """Write one change; return False when the batch row is not as it was locked or not as intended."""
        before = SteeringWriter(self._database, self._transaction)
        taken = before.write(change)
        for arrival, outcome in change.fresh():
            if (status := self._write_outcome(arrival, outcome)) is not None:
                taken[status] += 1
        return self._update_batch(change, taken, before.more_slots)

    def _write_outcome(self, arrival: Arrival, outcome: Outcome) -> SlotStatus | None:
        """Write the outcome of one arrival; return the new status of the slot that it took, if any."""
        match arrival, outcome:
            case Content(), Assigned(essay_id):
                require_storable(arrival)
                return self._take(arrival.batch_id, essay_id, SlotStatus.ASSIGNED, content=arrival)
            case Failure(), Failed(essay_id):
                self._fail(FailureRow(arrival, essay_id))
                status = SlotStatus.FAILED
                return self._take(arrival.batch_id, essay_id, status, failure_identity=arrival.identity)
            case Failure(), Late(reason):
                self._fail(FailureRow(arrival, None, reason))
            case Content(), Excess(reason):
                require_storable(arrival, sized=False)
                self._require_batch(arrival, "excess_content_belongs_to_a_batch")
                row = ExcessRow(arrival, reason, self._database.next_position())
                self._database.excess.insert_new(key_of(arrival), row, self._transaction)
            case _, Parked():
                self._park(arrival)
            case _, Superseded() | Duplicate():
                pass
            case _, Assigned() | Failed() | Excess() | Late():
                raise TypeError(f"{outcome} is no outcome of {type(arrival).__name__}")
            case _:
                assert_never(outcome)
        return None

    def _take(
        self,
        batch_id: str,
        essay_id: str,
        status: SlotStatus,
        *,
        content: Content | None = None,
        failure_identity: str | None = None,
    ) -> SlotStatus | None:
        """Take a slot if it is still available."""

        def change(row: EssayRow) -> EssayRow | None:
            if row.status is not SlotStatus.AVAILABLE:
                return None
            return replace(row, status=status, content=content, failure_identity=failure_identity)

        is_taken = self._database.essays.update((batch_id, essay_id), change, self._transaction)
        return status if is_taken else None

    def _fail(self, row: FailureRow) -> None:
        require_storable(row.failure)
        self._require_batch(row.failure, "failure_belongs_to_a_batch")
        self._database.failures.insert_new(key_of(row.failure), row, self._transaction)

    def _park(self, arrival: Arrival) -> None:
        require_storable(arrival, sized=False)
        self._require_batch(arrival, "parked_arrival_belongs_to_a_batch")
        row = ParkedRow(arrival, self._database.next_position(), self._database.clock.now())
        self._database.parked.insert(key_of(arrival), row, self._transaction)

    def _require_batch(self, arrival: Arrival, foreign_key: str) -> None:
        self._database.require_batch(arrival.batch_id, self._transaction, foreign_key)

    def _update_batch(self, change: BatchChange, taken: Counter[SlotStatus], more_slots: int) -> bool:
        """Write the batch row if it has the version that was locked; add the slots taken to its counts."""
        after = change.after
        now = self._database.clock.now()

        def updated(row: BatchRow) -> BatchRow | None:
            if row.batch.version != after.version - 1:
                return None
            batch = replace(
                row.batch,
                status=after.status,
                version=after.version,
                epoch=after.epoch,
                deadline=after.deadline,
                expected_count=row.batch.expected_count + more_slots,
                assigned_count=row.batch.assigned_count + taken[SlotStatus.ASSIGNED],
                failed_count=row.batch.failed_count + taken[SlotStatus.FAILED],
            )
            return replace(row, batch=batch, changed_at=now)

        if not self._database.batches.update(after.batch_id, updated, self._transaction):
            return False
        row = self._database.batches.current(after.batch_id, self._transaction)
        return row is not None and _counts(row.batch) == _counts(after)


def _counts(batch: Batch) -> tuple[int, int, int]:
    return batch.expected_count, batch.assigned_count, batch.failed_count
