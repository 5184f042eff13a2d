"""The three terminal events, made of a batch's roll and its terms."""

from typing import Literal, TypedDict

from els_core.contracts import outbound
from els_core.domain.batches import CountedFailure, Roll, Status, Terms, digest_of


def final_result(roll: Roll, terms: Terms) -> outbound.FinalResult:
    """Return the terminal event of the batch's status; raise ValueError for a batch that is not terminal."""
    match roll.batch.status:
        case Status.READY:
            return _ready(roll, terms)
        case Status.FAILED:
            return _all_failed(roll)
        case Status.TIMED_OUT:
            return _timed_out(roll, terms)
        case Status.AWAITED | Status.OPEN as status:
            raise ValueError(
                f"batch {roll.batch.batch_id} is {status}: only a terminal one has a final result"
            )


def without_lists(result: outbound.FinalResult) -> outbound.FinalResult:
    """Return the event without its lists, counts and digest kept; `batch_status` has the lists."""
    empty: dict[str, list[str]] = {name: [] for name, value in result if isinstance(value, list)}
    return result.model_copy(update={**empty, "lists_omitted": True})


class _Counts(TypedDict):
    batch_id: str
    expected_count: int
    assigned_count: int
    failed_count: int


def _counts(roll: Roll) -> _Counts:
    batch = roll.batch
    return _Counts(
        batch_id=batch.batch_id,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
    )


def _ready(roll: Roll, terms: Terms) -> outbound.BatchEssaysReady:
    return outbound.BatchEssaysReady(
        **_counts(roll),
        ready_essays=_ready_essays(roll),
        validation_failures=_failures(roll),
        course_code=terms.course_code,
        course_language=_language(terms.course_code),
        user_id=terms.user_id,
        org_id=terms.org_id,
        class_id=terms.class_id,
        class_type="REGULAR" if terms.class_id else "GUEST",
        essay_instructions=terms.essay_instructions,
        student_prompt_ref=terms.student_prompt_ref,
        digest=digest_of(roll.assigned),
    )


def _all_failed(roll: Roll) -> outbound.BatchValidationErrors:
    summary = outbound.ErrorSummary(
        total_errors=len(roll.failed), error_categories=roll.error_categories(), critical_failure=True
    )
    return outbound.BatchValidationErrors(
        **_counts(roll), failed_essays=_failures(roll), error_summary=summary
    )


def _timed_out(roll: Roll, terms: Terms) -> outbound.BatchReadinessTimeout:
    return outbound.BatchReadinessTimeout(
        **_counts(roll),
        ready_essays=_ready_essays(roll),
        missing_essay_ids=list(roll.available),
        validation_failures=_failures(roll),
        timeout_seconds=terms.timeout_seconds,
        digest=digest_of(roll.assigned),
    )


def _ready_essays(roll: Roll) -> list[outbound.ReadyEssay]:
    return [
        outbound.ReadyEssay(
            essay_id=slot.essay_id,
            text_storage_id=slot.text_storage_id,
            original_file_name=slot.original_file_name,
        )
        for slot in roll.assigned
    ]


def _failures(roll: Roll) -> list[outbound.ValidationFailure]:
    return [_failure(failure, failure.essay_id) for failure in roll.failures if failure.essay_id is not None]


def _failure(failure: CountedFailure, essay_id: str) -> outbound.ValidationFailure:
    return outbound.ValidationFailure(
        essay_id=essay_id,
        original_file_name=failure.original_file_name,
        validation_error_code=failure.error_code,
        file_upload_id=failure.file_upload_id,
    )


def _language(course_code: str) -> Literal["en", "sv"] | None:
    if course_code.startswith("ENG"):
        return "en"
    return "sv" if course_code.startswith("SV") else None
