"""The rows of the tables, with the constraints of the migrations under their names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from els_core.application.commands import KeptCommand
from els_core.domain.arrivals import ArrivalKey
from els_core.domain.batches import (
    Batch,
    Registration,
    RegistrationDetails,
    Status,
)
from tests.fakes.tables import Locks, Table, TableTransaction, violation

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from els_core.application.ports.clock import Clock
    from els_core.domain.arrivals import Arrival, Content, Failure
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Reason
    from tests.fakes.cooperative_scheduler import CooperativeScheduler

MAX_BIGINT = 2**63 - 1


class SlotStatus(StrEnum):
    """The values of `essays.status`."""

    AVAILABLE = "available"
    ASSIGNED = "assigned"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class BatchRow:
    batch: Batch
    changed_at: datetime
    details: RegistrationDetails | None = None


@dataclass(frozen=True, slots=True)
class EssayRow:
    batch_id: str
    essay_id: str
    status: SlotStatus = SlotStatus.AVAILABLE
    content: Content | None = None
    failure_identity: str | None = None


@dataclass(frozen=True, slots=True)
class FailureRow:
    failure: Failure
    essay_id: str | None = None
    late_reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ExcessRow:
    content: Content
    reason: Reason
    position: int = 0


@dataclass(frozen=True, slots=True)
class SupersededRow:
    """`arrival` is None for one that has not come yet."""

    arrival: Arrival | None
    essay_id: str | None = None
    by_identity: str | None = None
    by_command: str | None = None


@dataclass(frozen=True, slots=True)
class ParkedRow:
    arrival: Arrival
    position: int
    parked_at: datetime
    announced_at: datetime | None = None
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class OutboxRow:
    message: OutboxMessage
    position: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EpochRow:
    """The final result of an epoch, kept as long as the batch."""

    message: OutboxMessage
    first_sent_at: datetime | None = None


def _used(batch: Batch) -> int:
    return batch.assigned_count + batch.failed_count


BATCH_CHECKS = {
    "awaited_batch_has_no_registration": lambda row: (
        row.batch.status is Status.CANCELLED
        or (row.batch.status is Status.AWAITED) == (row.batch.fingerprint is None)
    ),
    "registered_batch_has_its_terms": lambda row: (
        row.batch.fingerprint is None
        or (row.batch.expected_count > 0 and row.batch.deadline is not None and row.details is not None)
    ),
    "counts_fit_the_slots": lambda row: (
        min(row.batch.assigned_count, row.batch.failed_count) >= 0
        and _used(row.batch) <= row.batch.expected_count
    ),
    "open_batch_has_a_free_slot": lambda row: (
        row.batch.status is not Status.OPEN or _used(row.batch) < row.batch.expected_count
    ),
    "ready_batch_is_full_with_an_essay": lambda row: (
        row.batch.status is not Status.READY
        or (_used(row.batch) == row.batch.expected_count and row.batch.assigned_count > 0)
    ),
    "failed_batch_is_full_of_failures": lambda row: (
        row.batch.status is not Status.FAILED or row.batch.failed_count == row.batch.expected_count
    ),
    "timed_out_batch_has_a_missing_slot": lambda row: (
        row.batch.status is not Status.TIMED_OUT or _used(row.batch) < row.batch.expected_count
    ),
    "cancelled_batch_has_a_missing_slot": lambda row: (
        row.batch.status is not Status.CANCELLED
        or row.batch.fingerprint is None
        or _used(row.batch) < row.batch.expected_count
    ),
}


ESSAY_CHECKS: dict[str, Callable[[EssayRow], bool]] = {
    "assigned_slot_has_a_content": lambda row: (
        (row.status is SlotStatus.ASSIGNED) == (row.content is not None)
    ),
    "failed_slot_has_a_failure": lambda row: (
        (row.status is SlotStatus.FAILED) == (row.failure_identity is not None)
    ),
}
ESSAY_UNIQUES: dict[str, Callable[[EssayRow], Hashable]] = {
    "one_slot_per_content": lambda row: (row.batch_id, row.content.text_storage_id) if row.content else None,
    "one_slot_per_failure": lambda row: (
        (row.batch_id, row.failure_identity) if row.failure_identity else None
    ),
}


def _slot_of_failure(row: FailureRow) -> ArrivalKey | None:
    return (row.failure.batch_id, row.essay_id) if row.essay_id else None


class Database:
    """All tables with their locks, a sequence and a clock."""

    def __init__(self, clock: Clock, scheduler: CooperativeScheduler) -> None:
        self.clock = clock
        self.batches = Table[str, BatchRow]("one_row_per_batch", BATCH_CHECKS)
        self.essays = Table[ArrivalKey, EssayRow]("one_row_per_slot", ESSAY_CHECKS, ESSAY_UNIQUES)
        self.failures = Table[ArrivalKey, FailureRow](
            "one_row_per_failure",
            {"failure_has_a_slot_or_is_late": lambda row: (row.essay_id is None) == bool(row.late_reason)},
            {"one_failure_per_slot": _slot_of_failure},
        )
        self.excess = Table[ArrivalKey, ExcessRow]("one_row_per_excess_content")
        self.parked = Table[ArrivalKey, ParkedRow]("one_row_per_parked_arrival")
        self.outbox = Table[str, OutboxRow]("one_row_per_event")
        self.epochs = Table[ArrivalKey, EpochRow]("one_row_per_epoch")
        self.superseded = Table[ArrivalKey, SupersededRow]("one_row_per_superseded_arrival")
        self.commands = Table[ArrivalKey, KeptCommand]("one_row_per_command")
        self.rejected = Table[ArrivalKey, Registration]("one_row_per_rejected_registration")
        self.runs = Table[str, datetime]("one_row_per_job")
        self.dependent_tables = (
            *(self.essays, self.failures, self.excess, self.parked),
            *(self.epochs, self.superseded, self.commands, self.rejected),
        )
        self._tables = (self.batches, *self.dependent_tables, self.outbox, self.runs)
        self.scheduler = scheduler
        self._locks = Locks(scheduler)
        self._position = 0

    def begin(self) -> TableTransaction:
        return TableTransaction(self._tables, self._locks)

    def next_position(self) -> int:
        """Return the next number of the sequence; a rollback does not return numbers."""
        self._position += 1
        return self._position

    def require_batch(self, batch_id: str, transaction: TableTransaction, foreign_key: str) -> None:
        if self.batches.current(batch_id, transaction) is None:
            raise violation("23503", foreign_key)


def require_storable(arrival: Arrival, *, sized: bool = True) -> None:
    """Raise `RejectedByStoreError` for data that no row can hold: NUL in a text, a size beyond 64 bits."""
    texts = [value for value in asdict(arrival).values() if isinstance(value, str)]
    if any("\x00" in text for text in texts):
        raise violation("22P05", "no constraint")
    if sized and arrival.file_size_bytes > MAX_BIGINT:
        raise violation("22003", "no constraint")
