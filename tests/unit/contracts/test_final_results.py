"""What a final result says: one row per status, and what is left when its lists are too large."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from els_core.contracts.final_results import final_result, without_lists
from els_core.domain.announcements import batch_closed
from els_core.domain.batches import BatchSnapshot, EndedBy, RegistrationDetails, Status, digest_of
from els_core.domain.events import BatchClosed
from tests.factories import CORRELATION, DEADLINE, details, snapshot

if TYPE_CHECKING:
    from els_core.contracts.outbound import FinalResult

DETAILS = RegistrationDetails("ENG5", "teacher", CORRELATION, 60, "org", "class", "Write.", "prompt")
CONTENT = {"essay_id": "essay-0000", "text_storage_id": "a", "original_file_name": "a.txt"}


def failed(essay_id: str, name: str) -> dict[str, Any]:
    return {
        "essay_id": essay_id,
        "original_file_name": f"{name}.txt",
        "validation_error_code": "EMPTY_CONTENT",
        "file_upload_id": name,
    }


def counts(expected: int, assigned: int, failed_count: int, ended_by: EndedBy) -> dict[str, Any]:
    return {
        "batch_id": "b",
        "epoch": 1,
        "version": 1,
        "ended_by": ended_by.value,
        "deadline": DEADLINE,
        "withdrawn_essay_ids": [],
        "previous_event_id": None,
        "expected_count": expected,
        "assigned_count": assigned,
        "failed_count": failed_count,
        "lists_omitted": False,
    }


READY = snapshot(2, ["a"], ["f"], status=Status.READY)
ALL_FAILED = snapshot(2, failed=["f", "g"], status=Status.FAILED)
TIMED_OUT = snapshot(3, ["a"], ["f"], status=Status.TIMED_OUT)
CANCELLED = snapshot(2, ["a"], status=Status.CANCELLED)

RESULTS: dict[Status, tuple[BatchSnapshot, dict[str, Any]]] = {
    Status.READY: (
        READY,
        {
            **counts(2, 1, 1, EndedBy.FULL),
            "ready_essays": [CONTENT],
            "validation_failures": [failed("essay-0001", "f")],
            "course_code": "ENG5",
            "course_language": "en",
            "user_id": "teacher",
            "org_id": "org",
            "class_id": "class",
            "class_type": "REGULAR",
            "essay_instructions": "Write.",
            "student_prompt_ref": "prompt",
            "digest": digest_of(READY.assigned),
        },
    ),
    Status.FAILED: (
        ALL_FAILED,
        {
            **counts(2, 0, 2, EndedBy.FULL),
            "failed_essays": [failed("essay-0000", "f"), failed("essay-0001", "g")],
            "error_summary": {
                "total_errors": 2,
                "error_categories": {"EMPTY_CONTENT": 2},
                "critical_failure": True,
            },
        },
    ),
    Status.TIMED_OUT: (
        TIMED_OUT,
        {
            **counts(3, 1, 1, EndedBy.DEADLINE),
            "ready_essays": [CONTENT],
            "missing_essay_ids": ["essay-0002"],
            "validation_failures": [failed("essay-0001", "f")],
            "timeout_seconds": 60,
            "digest": digest_of(TIMED_OUT.assigned),
        },
    ),
    Status.CANCELLED: (
        CANCELLED,
        {
            **counts(2, 1, 0, EndedBy.CANCEL),
            "ready_essays": [CONTENT],
            "missing_essay_ids": ["essay-0001"],
            "validation_failures": [],
            "digest": digest_of(CANCELLED.assigned),
        },
    ),
}


def result_of(held: BatchSnapshot, details: RegistrationDetails = DETAILS) -> FinalResult:
    return final_result(batch_closed(replace(held, details=details)))


@pytest.mark.parametrize("status", RESULTS)
def test_a_final_result_has_the_lists_and_counts_of_its_status(status: Status) -> None:
    held, expected = RESULTS[status]
    assert result_of(held).model_dump() == expected


@pytest.mark.parametrize("status", [status for status in Status if status not in RESULTS])
def test_a_batch_that_is_not_terminal_has_no_final_result(status: Status) -> None:
    with pytest.raises(ValueError, match="b is " + status):
        final_result(BatchClosed(snapshot(2, status=status), DETAILS, EndedBy.FULL, CORRELATION))


@pytest.mark.parametrize(
    ("course_code", "language"),
    [
        ("ENG5", "en"),
        ("ENG", "en"),
        ("SV1", "sv"),
        ("SVE", "sv"),
        ("MAT", None),
        ("eng5", None),
        ("XENG", None),
    ],
)
def test_the_language_follows_from_the_course(course_code: str, language: str | None) -> None:
    result = result_of(READY, replace(DETAILS, course_code=course_code))
    assert result.model_dump()["course_language"] == language


def test_a_batch_without_a_class_is_of_the_type_guest() -> None:
    assert result_of(READY, details()).model_dump()["class_type"] == "GUEST"


@pytest.mark.fault(12)
@pytest.mark.parametrize("status", RESULTS)
def test_without_its_lists_a_final_result_keeps_everything_else(status: Status) -> None:
    held, expected = RESULTS[status]
    lists = {name for name, value in expected.items() if isinstance(value, list)}
    assert without_lists(result_of(held)).model_dump() == {
        **expected,
        **{name: [] for name in lists},
        "lists_omitted": True,
    }
