"""The snapshot of a batch, from the rows of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from els_core.domain.batches import AssignedSlot, BatchSnapshot, RecordedFailure
from tests.fakes.rows import SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from tests.fakes.rows import BatchRow, EssayRow, FailureRow


def snapshot_of(
    row: BatchRow,
    essays: Iterable[EssayRow],
    failures: Iterable[FailureRow],
    previous_event_id: UUID | None = None,
) -> BatchSnapshot:
    """Return the snapshot of a batch from all rows of essays and failures."""
    batch_id = row.batch.batch_id
    slots = sorted((slot for slot in essays if slot.batch_id == batch_id), key=lambda slot: slot.essay_id)
    available: list[str] = []
    assigned: list[AssignedSlot] = []
    withdrawn: list[str] = []
    for slot in slots:
        match slot.status:
            case SlotStatus.AVAILABLE:
                available.append(slot.essay_id)
            case SlotStatus.ASSIGNED:
                assigned.append(_assigned(slot))
            case SlotStatus.FAILED:
                pass  # its failure is listed below
            case SlotStatus.WITHDRAWN:
                withdrawn.append(slot.essay_id)
            case _:
                assert_never(slot.status)
    recorded = [
        _recorded(failure, failure.essay_id)
        for failure in sorted(failures, key=lambda failure: failure.failure.identity)
        if failure.failure.batch_id == batch_id and failure.essay_id is not None
    ]
    return BatchSnapshot(
        row.batch,
        row.details,
        tuple(available),
        tuple(assigned),
        tuple(recorded),
        tuple(withdrawn),
        previous_event_id,
    )


def _assigned(slot: EssayRow) -> AssignedSlot:
    content = slot.content
    if content is None:
        raise LookupError(f"slot {slot.essay_id} of batch {slot.batch_id} is assigned and has no content")
    return AssignedSlot(
        slot.essay_id, content.text_storage_id, content.original_file_name, content.file_upload_id
    )


def _recorded(row: FailureRow, essay_id: str) -> RecordedFailure:
    failure = row.failure
    return RecordedFailure(
        failure.identity,
        essay_id,
        failure.original_file_name,
        failure.error_code,
        failure.file_upload_id,
    )
