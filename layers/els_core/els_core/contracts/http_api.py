"""What the HTTP API answers."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import Field

from els_core.application.batch_status import BatchDescription
from els_core.application.ports.repository import LateFailure, PagePosition
from els_core.contracts.fields import WireModel
from els_core.contracts.final_results import ready_essay, validation_failure
from els_core.contracts.outbound import ReadyEssay, ValidationFailure
from els_core.domain.batches import AssignedSlot, FreeSlot, RecordedFailure, Status

NOT_VALID = "the page token is not valid: take it from next_page_token of an answer about the same batch"
# An essay id or the identity of a failure, whose longest prefix is `upload:`.
_AFTER = re.compile(r"[A-Za-z0-9_.:\-]{0,135}")


class PageTokenError(ValueError):
    """The page token is not one that this service made."""


class LateValidationFailure(WireModel):
    """A failed file that found no slot."""

    original_file_name: str
    validation_error_code: str
    file_upload_id: str | None = None


class Announcement(WireModel):
    """The final result on the bus; `unsent_since` is null once nothing waits to be sent."""

    event_id: UUID
    detail_type: str
    first_sent_at: datetime | None
    unsent_since: datetime | None


class BatchStatusAnswer(WireModel):
    """The answer of `GET /batches/{batch_id}`: a page of the lists, in byte order of the ids.

    `validation_failures` are the failures that use a slot, exactly as in the final result. While there is a
    `next_page_token`, the lists go on at `GET /batches/{batch_id}?page_token=`; counts and digest are
    complete.
    """

    batch_id: str
    status: Status
    sentence: Annotated[str, Field(description="what the batch waits for and who has to act, for people")]
    version: int
    expected_count: int
    assigned_count: int
    failed_count: int
    late_count: int
    parked_count: int
    deadline: datetime | None
    announcement: Announcement | None
    ready_essays: list[ReadyEssay]
    missing_essay_ids: list[str]
    validation_failures: list[ValidationFailure]
    late_failures: list[LateValidationFailure]
    digest: str
    next_page_token: str | None


def batch_status_answer(description: BatchDescription) -> BatchStatusAnswer:
    """Return the answer for one batch."""
    overview = description.overview
    batch = overview.batch
    answer = BatchStatusAnswer(
        batch_id=batch.batch_id,
        status=batch.status,
        sentence=description.sentence,
        version=batch.version,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
        late_count=overview.late_count,
        parked_count=overview.parked_count,
        deadline=batch.deadline,
        announcement=_announcement(description),
        ready_essays=[],
        missing_essay_ids=[],
        validation_failures=[],
        late_failures=[],
        digest=overview.digest,
        next_page_token=page_token(description.next_page) if description.next_page else None,
    )
    for item in description.items:
        match item:
            case FreeSlot():
                answer.missing_essay_ids.append(item.essay_id)
            case AssignedSlot():
                answer.ready_essays.append(ready_essay(item))
            case RecordedFailure():
                answer.validation_failures.append(validation_failure(item))
            case LateFailure():
                answer.late_failures.append(_late_failure(item))
            case _:
                assert_never(item)
    return answer


def page_token(position: PagePosition) -> str:
    """Return a position as an opaque token."""
    return urlsafe_b64encode(json.dumps([position.section, position.after]).encode()).decode()


def page_position(token: str | None) -> PagePosition | None:
    """Return the position of a token, None without one; raise `PageTokenError` for one not made here."""
    if token is None:
        return None
    try:
        found = json.loads(urlsafe_b64decode(token.encode()))
    except (ValueError, RecursionError) as error:
        raise PageTokenError(NOT_VALID) from error
    match found:
        case [int(section), str(after)] if section in {1, 2} and _AFTER.fullmatch(after):
            return PagePosition(int(section), after)
        case _:
            raise PageTokenError(NOT_VALID)


def _announcement(description: BatchDescription) -> Announcement | None:
    found = description.overview.announcement
    if found is None:
        return None
    return Announcement(
        event_id=found.event_id,
        detail_type=found.detail_type,
        first_sent_at=found.first_sent_at,
        unsent_since=found.unsent_since,
    )


def _late_failure(item: LateFailure) -> LateValidationFailure:
    return LateValidationFailure(
        original_file_name=item.original_file_name,
        validation_error_code=item.error_code,
        file_upload_id=item.file_upload_id,
    )
