"""The answers of the HTTP API. Moments are in UTC; nothing in an answer changes by time alone."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from els_core.application.commands import Door
from els_core.application.ports.history import FoundKind, HistoryKind
from els_core.application.sentences import Mover
from els_core.contracts.fields import WireModel
from els_core.domain.batches import Status
from els_core.domain.commands import CommandName, Refusal

type PageToken = Annotated[
    str | None, Field(description="the list goes on with `page_token=` this; null on the last page")
]


class BatchSummary(WireModel):
    """A batch in a list. `is_stuck`: for three minutes it has been the service's own move."""

    batch_id: str
    status: Status
    is_stuck: bool
    epoch: int
    version: int
    expected_count: int
    assigned_count: int
    failed_count: int
    course_code: str | None
    user_id: str | None
    org_id: str | None
    class_id: str | None
    deadline: datetime | None
    created_at: datetime
    changed_at: datetime
    last_arrival_at: datetime | None


class BatchList(WireModel):
    """The answer of `GET /batches`: a page, the newest batch first."""

    batches: list[BatchSummary]
    next_page_token: PageToken


class ReadyEssay(WireModel):
    """A slot and the content that owns it; the file name only with `view=full`."""

    essay_id: str
    text_storage_id: str
    file_upload_id: str | None
    settled_at: datetime | None
    original_file_name: str | None


class FailedEssay(WireModel):
    """A slot that a failed file uses; `identity` is what `release_slot` takes."""

    essay_id: str
    identity: str
    validation_error_code: str
    file_upload_id: str | None
    settled_at: datetime | None
    original_file_name: str | None


class LateFailure(WireModel):
    """A failed file that found no slot."""

    identity: str
    reason: str
    validation_error_code: str
    file_upload_id: str | None
    recorded_at: datetime | None
    original_file_name: str | None


class ExcessContent(WireModel):
    """A content that found no slot. `is_kept_whole`: re-opening the batch can take it in."""

    text_storage_id: str
    reason: str
    file_upload_id: str | None
    recorded_at: datetime | None
    is_kept_whole: bool
    original_file_name: str | None


class CommandRecord(WireModel):
    """A command that was answered. `refusal` is null for one that was applied."""

    command_id: str
    command: CommandName
    door: Door
    actor: str
    reason: str | None
    refusal: Refusal | None
    epoch: int
    version: int
    at: datetime


class RejectedRegistration(WireModel):
    """Another registration of the same batch, which was rejected, and the fields in which it differed."""

    differing_fields: list[str]
    rejected_at: datetime


class Announcement(WireModel):
    """The final result of an epoch on the bus; `unsent_since` is null once nothing waits to be sent."""

    event_id: UUID
    detail_type: str
    first_sent_at: datetime | None
    unsent_since: datetime | None


class BatchStatusAnswer(WireModel):
    """The answer of `GET /batches/{batch_id}`: the batch, and a page of its lists in byte order of ids.

    `ready_essays`, `missing_essay_ids` and `validation_failures` are those of the final result. Counts and
    digest are complete on each page.
    """

    batch_id: str
    status: Status
    sentence: Annotated[str, Field(description="what the batch waits for, and whose move it is")]
    mover: Annotated[Mover, Field(description="whose move it is")]
    is_stuck: bool
    epoch: int
    version: int
    expected_count: int
    assigned_count: int
    failed_count: int
    missing_count: int
    withdrawn_count: int
    late_count: int
    excess_count: int
    reopening_takes_count: Annotated[int, Field(description="excess contents that re-opening can take in")]
    parked_count: int
    parked_since: datetime | None
    course_code: str | None
    user_id: str | None
    org_id: str | None
    class_id: str | None
    correlation_id: str | None
    deadline: datetime | None
    created_at: datetime
    changed_at: datetime
    last_arrival_at: datetime | None
    announcement: Announcement | None
    commands: Annotated[list[CommandRecord], Field(description="the last 20, the newest first")]
    rejected_registrations: list[RejectedRegistration]
    digest: str
    ready_essays: list[ReadyEssay]
    missing_essay_ids: list[str]
    withdrawn_essay_ids: list[str]
    validation_failures: list[FailedEssay]
    late_failures: list[LateFailure]
    excess_contents: list[ExcessContent]
    next_page_token: PageToken


class HistoryEntry(WireModel):
    """One thing that happened. A field that says nothing about its kind is null.

    `identity` is that of an arrival. `reason` is why an arrival is late or excess, why a command was refused,
    or what ended an epoch. `by` is the identity or the id of the command that superseded an arrival, or who
    commanded.
    """

    at: datetime
    kind: HistoryKind
    identity: str | None
    essay_id: str | None
    epoch: int | None
    status: Status | None
    command: CommandName | None
    reason: str | None
    by: str | None
    comment: Annotated[str | None, Field(description="the reason that was given with a command")]
    event_id: UUID | None


class BatchHistory(WireModel):
    """The answer of `GET /batches/{batch_id}/history`: a page, the oldest entry first."""

    batch_id: str
    entries: list[HistoryEntry]
    next_page_token: PageToken


class Found(WireModel):
    """A place where the id occurs. `outcome` is that of the arrival, or the status of the batch."""

    batch_id: str
    kind: FoundKind
    identity: str | None
    outcome: str
    essay_id: str | None
    reason: str | None
    at: datetime | None


class FindAnswer(WireModel):
    """The answer of `GET /find/{searched}`: a page, in byte order of the batches."""

    id: str
    found: list[Found]
    next_page_token: PageToken
