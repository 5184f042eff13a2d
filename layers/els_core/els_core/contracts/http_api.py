"""What the HTTP API answers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from els_core.application.batch_status import BatchDescription
from els_core.contracts.fields import WireModel
from els_core.contracts.final_results import ready_essays, validation_failures
from els_core.contracts.outbound import ReadyEssay, ValidationFailure
from els_core.domain.batches import Status, digest_of


class LateFailure(WireModel):
    """A failed file that found no slot."""

    original_file_name: str
    validation_error_code: str
    file_upload_id: str | None = None


class BatchStatusAnswer(WireModel):
    """The answer of `GET /batches/{batch_id}`; lists are sorted by id.

    `validation_failures` are the failures that use a slot, exactly as in the final result.
    """

    batch_id: str
    status: Status
    sentence: Annotated[str, Field(description="what the batch waits for, for people")]
    expected_count: int
    assigned_count: int
    failed_count: int
    deadline: datetime | None
    ready_essays: list[ReadyEssay]
    missing_essay_ids: list[str]
    validation_failures: list[ValidationFailure]
    late_failures: list[LateFailure]
    digest: str


def batch_status_answer(description: BatchDescription) -> BatchStatusAnswer:
    """Return the answer for one batch."""
    snapshot = description.snapshot
    batch = snapshot.batch
    return BatchStatusAnswer(
        batch_id=batch.batch_id,
        status=batch.status,
        sentence=description.sentence,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
        deadline=batch.deadline,
        ready_essays=ready_essays(snapshot),
        missing_essay_ids=list(snapshot.available),
        validation_failures=validation_failures(snapshot),
        late_failures=[
            LateFailure(
                original_file_name=failure.original_file_name,
                validation_error_code=failure.error_code,
                file_upload_id=failure.file_upload_id,
            )
            for failure in snapshot.late_failures
        ],
        digest=digest_of(snapshot.assigned),
    )
