"""Outbound events: the data of everything that ELS announces."""

from typing import Annotated, Literal

from pydantic import Field

from els_core.contracts.fields import WireModel


class Assignment(WireModel):
    """A slot and the content that owns it."""

    essay_id: str
    text_storage_id: str
    original_file_name: str
    file_upload_id: str | None = None


class ReadyEssay(WireModel):
    """An assigned slot in a final result."""

    essay_id: str
    text_storage_id: str
    original_file_name: str


class ValidationFailure(WireModel):
    """A slot used by a failed file; with the code, not the message, so that terminal events stay small."""

    essay_id: str
    original_file_name: str
    validation_error_code: str
    file_upload_id: str | None = None


class ErrorSummary(WireModel):
    """The number of failed files, per error code."""

    total_errors: int
    error_categories: dict[str, int]
    critical_failure: Literal[True] = True


class OverdueArrival(WireModel):
    """An arrival that waits for the registration of its batch."""

    kind: Literal["content", "failure"]
    identity: str
    original_file_name: str


class Counts(WireModel):
    """The counts of every final result; `lists_omitted` says that the lists were too large for the bus."""

    batch_id: str
    expected_count: int
    assigned_count: int
    failed_count: int
    lists_omitted: bool = False


class EssaySlotsAssigned(WireModel):
    """Slots were assigned to contents."""

    batch_id: str
    assignments: list[Assignment]


class ExcessContentProvisioned(WireModel):
    """A content found no slot."""

    batch_id: str
    text_storage_id: str
    original_file_name: str
    reason: Literal["NO_AVAILABLE_SLOT", "BATCH_TIMED_OUT"]


class BatchEssaysReady(Counts):
    """Final result: every slot is used, at least one by a content."""

    ready_essays: list[ReadyEssay]
    validation_failures: list[ValidationFailure]
    course_code: str
    course_language: Annotated[str | None, Field(description="en for ENG…, sv for SV…, else null")]
    user_id: str
    org_id: str | None
    class_id: str | None
    class_type: Literal["REGULAR", "GUEST"]
    essay_instructions: str | None
    student_prompt_ref: str | None
    digest: str


class BatchValidationErrors(Counts):
    """Final result: every slot is used by a failure."""

    failed_essays: list[ValidationFailure]
    error_summary: ErrorSummary


class BatchReadinessTimeout(Counts):
    """Final result: the deadline passed before every slot was used."""

    ready_essays: list[ReadyEssay]
    missing_essay_ids: list[str]
    validation_failures: list[ValidationFailure]
    timeout_seconds: int
    digest: str


class BatchRegistrationRejected(WireModel):
    """The same batch was registered again with other data; the first registration stands."""

    batch_id: str
    reason: str


class ParkedContentOverdue(WireModel):
    """Arrivals are parked for longer than the parking time; announced once, and kept."""

    batch_id: str
    arrivals: list[OverdueArrival]


type FinalResult = BatchEssaysReady | BatchValidationErrors | BatchReadinessTimeout

type Data = (
    EssaySlotsAssigned
    | ExcessContentProvisioned
    | BatchEssaysReady
    | BatchValidationErrors
    | BatchReadinessTimeout
    | BatchRegistrationRejected
    | ParkedContentOverdue
)
