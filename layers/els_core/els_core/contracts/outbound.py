"""Outbound events: the data of everything that ELS announces."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

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


class Released(WireModel):
    """A slot that a content had and lost."""

    essay_id: str
    text_storage_id: str


class BatchData(WireModel):
    """The data of every event: of two about one slot or content, the one with the higher version is right."""

    batch_id: str
    epoch: int
    version: int


class FinalData(BatchData):
    """The data of every final result; `lists_omitted` says that the lists were too large for the bus."""

    expected_count: int
    assigned_count: int
    failed_count: int
    ended_by: Literal["full", "close", "deadline", "cancel"]
    deadline: datetime | None
    withdrawn_essay_ids: list[str]
    previous_event_id: UUID | None
    lists_omitted: bool = False


class EssaySlotsAssigned(BatchData):
    """Slots were assigned to contents."""

    assignments: list[Assignment]


class ExcessContentProvisioned(BatchData):
    """A content found no slot."""

    text_storage_id: str
    original_file_name: str
    reason: Literal["NO_AVAILABLE_SLOT", "BATCH_TIMED_OUT", "BATCH_CANCELLED"]


class BatchEssaysReady(FinalData):
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


class BatchValidationErrors(FinalData):
    """Final result: every slot is used by a failure."""

    failed_essays: list[ValidationFailure]
    error_summary: ErrorSummary


class BatchReadinessTimeout(FinalData):
    """Final result: the deadline passed before every slot was used."""

    ready_essays: list[ReadyEssay]
    missing_essay_ids: list[str]
    validation_failures: list[ValidationFailure]
    timeout_seconds: int
    digest: str


class BatchCancelled(FinalData):
    """Final result: a command cancelled the batch, registered or not."""

    ready_essays: list[ReadyEssay]
    missing_essay_ids: list[str]
    validation_failures: list[ValidationFailure]
    digest: str


class BatchReopened(BatchData):
    """Another epoch of an ended batch began; `taken_in` contents that were excess have slots now."""

    expected_count: int
    assigned_count: int
    failed_count: int
    taken_in: int
    deadline: datetime


class EssaySlotsReleased(BatchData):
    """Contents lost their slots: they are superseded, or were released by a command."""

    released: list[Released]


class CommandData(BatchData):
    """The data of every answer to a command: what the batch is afterwards."""

    command_id: str
    command: str
    status: str


class BatchCommandApplied(CommandData):
    """A command was applied."""

    withdrawn_essay_ids: list[str]
    released: list[Released]
    taken_in: int


class BatchCommandRefused(CommandData):
    """A command was refused; it changed nothing."""

    reason: str


class BatchRegistrationRejected(BatchData):
    """The batch is registered with other data, and the first registration stands; or it was cancelled."""

    reason: str


class ParkedContentOverdue(BatchData):
    """Arrivals are parked for longer than the parking time; announced once, and kept."""

    arrivals: list[OverdueArrival]


type FinalResult = BatchEssaysReady | BatchValidationErrors | BatchReadinessTimeout | BatchCancelled

type Data = (
    EssaySlotsAssigned
    | ExcessContentProvisioned
    | BatchEssaysReady
    | BatchValidationErrors
    | BatchReadinessTimeout
    | BatchCancelled
    | BatchReopened
    | EssaySlotsReleased
    | BatchCommandApplied
    | BatchCommandRefused
    | BatchRegistrationRejected
    | ParkedContentOverdue
)
