"""What the HTTP API answers about a batch: every field, and the same failures as in the final result."""

from __future__ import annotations

import pytest

from els_core.application.batch_status import BatchDescription
from els_core.contracts.final_results import final_result
from els_core.contracts.http_api import BatchStatusAnswer, batch_status_answer
from els_core.domain.batches import BatchSnapshot, Status, digest_of
from tests.factories import NOW, batch, details, snapshot


def answer(held: BatchSnapshot) -> BatchStatusAnswer:
    return batch_status_answer(BatchDescription(held, NOW, "one sentence"))


def test_an_answer_has_every_field_of_the_batch() -> None:
    held = snapshot(3, ["a"], ["f"], ["late"])
    assert answer(held).model_dump(mode="json") == {
        "batch_id": "b",
        "status": "open",
        "sentence": "one sentence",
        "expected_count": 3,
        "assigned_count": 1,
        "failed_count": 1,
        "deadline": "2026-01-31T13:00:00Z",
        "ready_essays": [{"essay_id": "essay-0000", "text_storage_id": "a", "original_file_name": "a.txt"}],
        "missing_essay_ids": ["essay-0002"],
        "validation_failures": [
            {
                "essay_id": "essay-0001",
                "original_file_name": "f.txt",
                "validation_error_code": "EMPTY_CONTENT",
                "file_upload_id": "f",
            }
        ],
        "late_failures": [
            {
                "original_file_name": "late.txt",
                "validation_error_code": "EMPTY_CONTENT",
                "file_upload_id": "late",
            }
        ],
        "digest": digest_of(held.assigned),
    }


def test_an_awaited_batch_has_no_deadline_and_no_lists() -> None:
    awaited = answer(BatchSnapshot(batch(Status.AWAITED)))
    assert (awaited.status, awaited.deadline, awaited.expected_count) == (Status.AWAITED, None, 0)
    assert (awaited.ready_essays, awaited.missing_essay_ids, awaited.validation_failures) == ([], [], [])


@pytest.mark.parametrize("status", [Status.READY, Status.TIMED_OUT])
def test_lists_and_digest_are_those_of_the_final_result(status: Status) -> None:
    held = snapshot(3, ["a"], ["f"], ["late"], status=status)
    final = final_result(held, details()).model_dump()
    told = answer(held).model_dump()
    for name in ("ready_essays", "validation_failures", "digest"):
        assert told[name] == final[name]


def test_the_failures_of_a_failed_batch_are_those_of_its_final_result() -> None:
    held = snapshot(2, failed=["f", "g"], late=["late"], status=Status.FAILED)
    final = final_result(held, details()).model_dump()
    assert answer(held).model_dump()["validation_failures"] == final["failed_essays"]
