"""The terminal events, made from the snapshot of a batch and its registration details."""

from datetime import datetime
from typing import Literal, TypedDict, assert_never
from uuid import UUID

from els_core.contracts import outbound
from els_core.domain.batches import (
    AssignedSlot,
    BatchSnapshot,
    RecordedFailure,
    RegistrationDetails,
    Status,
    digest_of,
)
from els_core.domain.events import BatchClosed


def final_result(closed: BatchClosed) -> outbound.FinalResult:
    """Return the terminal event of the batch's status; raise ValueError for a batch that is not terminal."""
    snapshot = closed.snapshot
    match snapshot.batch.status:
        case Status.READY:
            return _ready(closed, required_details(closed))
        case Status.FAILED:
            return _all_failed(closed)
        case Status.TIMED_OUT:
            return _timed_out(closed, required_details(closed))
        case Status.CANCELLED:
            return _cancelled(closed)
        case Status.AWAITED | Status.OPEN as status:
            raise ValueError(
                f"batch {snapshot.batch.batch_id} is {status}: only a terminal batch has a final result"
            )
        case _:
            assert_never(snapshot.batch.status)


def required_details(closed: BatchClosed) -> RegistrationDetails:
    """Return the details of a registered batch; raise LookupError for one that never was."""
    if closed.details is None:
        raise LookupError(f"batch {closed.batch_id} was never registered and has no details")
    return closed.details


def without_lists(result: outbound.FinalResult) -> outbound.FinalResult:
    """Return the event without its lists, counts and digest kept; `batch_status` has the lists."""
    empty: dict[str, list[str]] = {name: [] for name, value in result if isinstance(value, list)}
    return result.model_copy(update={**empty, "lists_omitted": True})


class _FinalData(TypedDict):
    batch_id: str
    epoch: int
    version: int
    expected_count: int
    assigned_count: int
    failed_count: int
    ended_by: Literal["full", "close", "deadline", "cancel"]
    deadline: datetime | None
    withdrawn_essay_ids: list[str]
    previous_event_id: UUID | None


def _data(closed: BatchClosed) -> _FinalData:
    batch = closed.snapshot.batch
    return _FinalData(
        batch_id=batch.batch_id,
        epoch=batch.epoch,
        version=batch.version,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
        ended_by=closed.ended_by.value,
        deadline=batch.deadline,
        withdrawn_essay_ids=list(closed.snapshot.withdrawn),
        previous_event_id=closed.snapshot.previous_event_id,
    )


def _ready(closed: BatchClosed, details: RegistrationDetails) -> outbound.BatchEssaysReady:
    return outbound.BatchEssaysReady(
        **_data(closed),
        ready_essays=ready_essays(closed.snapshot),
        validation_failures=validation_failures(closed.snapshot),
        course_code=details.course_code,
        course_language=details.course_language,
        user_id=details.user_id,
        org_id=details.org_id,
        class_id=details.class_id,
        class_type="REGULAR" if details.class_id else "GUEST",
        essay_instructions=details.essay_instructions,
        student_prompt_ref=details.student_prompt_ref,
        digest=digest_of(closed.snapshot.assigned),
    )


def _all_failed(closed: BatchClosed) -> outbound.BatchValidationErrors:
    snapshot = closed.snapshot
    summary = outbound.ErrorSummary(
        total_errors=len(snapshot.slot_failures),
        error_categories=snapshot.error_categories(),
        critical_failure=True,
    )
    return outbound.BatchValidationErrors(
        **_data(closed), failed_essays=validation_failures(snapshot), error_summary=summary
    )


def _timed_out(closed: BatchClosed, details: RegistrationDetails) -> outbound.BatchReadinessTimeout:
    snapshot = closed.snapshot
    return outbound.BatchReadinessTimeout(
        **_data(closed),
        ready_essays=ready_essays(snapshot),
        missing_essay_ids=list(snapshot.available),
        validation_failures=validation_failures(snapshot),
        timeout_seconds=details.timeout_seconds,
        digest=digest_of(snapshot.assigned),
    )


def _cancelled(closed: BatchClosed) -> outbound.BatchCancelled:
    snapshot = closed.snapshot
    return outbound.BatchCancelled(
        **_data(closed),
        ready_essays=ready_essays(snapshot),
        missing_essay_ids=list(snapshot.available),
        validation_failures=validation_failures(snapshot),
        digest=digest_of(snapshot.assigned),
    )


def ready_essays(snapshot: BatchSnapshot) -> list[outbound.ReadyEssay]:
    """Return the assigned slots, sorted by essay id."""
    return [ready_essay(slot) for slot in snapshot.assigned]


def ready_essay(slot: AssignedSlot) -> outbound.ReadyEssay:
    """Return an assigned slot as events and answers show it."""
    return outbound.ReadyEssay(
        essay_id=slot.essay_id,
        text_storage_id=slot.text_storage_id,
        original_file_name=slot.original_file_name,
    )


def validation_failures(snapshot: BatchSnapshot) -> list[outbound.ValidationFailure]:
    """Return the failures that use a slot, sorted by identity."""
    return [validation_failure(failure) for failure in snapshot.slot_failures]


def validation_failure(failure: RecordedFailure) -> outbound.ValidationFailure:
    """Return a failure as events and answers show it."""
    return outbound.ValidationFailure(
        essay_id=failure.essay_id,
        original_file_name=failure.original_file_name,
        validation_error_code=failure.error_code,
        file_upload_id=failure.file_upload_id,
    )
