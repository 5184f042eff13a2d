"""What `GET /batches/{batch_id}` answers."""

from typing import Any

from els_core.application.batch_status import BatchDescription
from els_core.domain.batches import digest_of


def status_of(described: BatchDescription) -> dict[str, Any]:
    """Return the JSON body: status, counts, lists, deadline and the sentence."""
    snapshot = described.snapshot
    batch = snapshot.batch
    return {
        "batch_id": batch.batch_id,
        "status": batch.status.value,
        "sentence": described.sentence,
        "expected_count": batch.expected_count,
        "assigned_count": batch.assigned_count,
        "failed_count": batch.failed_count,
        "deadline": batch.deadline.isoformat() if batch.deadline else None,
        "ready_essays": [
            {
                "essay_id": slot.essay_id,
                "text_storage_id": slot.text_storage_id,
                "original_file_name": slot.original_file_name,
            }
            for slot in snapshot.assigned
        ],
        "missing_essay_ids": list(snapshot.available),
        "validation_failures": [
            {
                "essay_id": failure.essay_id,
                "original_file_name": failure.original_file_name,
                "validation_error_code": failure.error_code,
            }
            for failure in snapshot.all_failures
        ],
        "digest": digest_of(snapshot.assigned),
    }
