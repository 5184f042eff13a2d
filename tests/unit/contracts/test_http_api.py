"""What the HTTP API answers about a batch: every field, the same failures as in the final result, pages."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.batch_status import BatchDescription
from els_core.application.ports.repository import (
    Announcement,
    BatchOverview,
    LateFailure,
    PagePosition,
    StatusItem,
)
from els_core.contracts.final_results import final_result
from els_core.contracts.http_api import BatchStatusAnswer, batch_status_answer, page_position, page_token
from els_core.domain.announcements import batch_closed
from els_core.domain.batches import FreeSlot, Status, digest_of
from tests.factories import NOW, batch, snapshot

if TYPE_CHECKING:
    from els_core.domain.batches import BatchSnapshot

LATE = LateFailure("upload:late", "late.txt", "EMPTY_CONTENT", "late")
SENT = Announcement(UUID(int=1), "BatchEssaysReady", NOW, None)


def answer(
    held: BatchSnapshot, announcement: Announcement | None = None, next_page: PagePosition | None = None
) -> BatchStatusAnswer:
    digest = digest_of(held.assigned)
    overview = BatchOverview(held.batch, NOW, (), 1, 0, None, digest, announcement, None, None)
    items: list[StatusItem] = [*map(FreeSlot, held.available), *held.assigned, *held.slot_failures, LATE]
    return batch_status_answer(BatchDescription(overview, "one sentence", items, next_page))


def test_an_answer_has_every_field_of_the_batch() -> None:
    held = snapshot(3, ["a"], ["f"])
    assert answer(held, SENT, PagePosition(2, "upload:late")).model_dump(mode="json") == {
        "batch_id": "b",
        "status": "open",
        "sentence": "one sentence",
        "version": held.batch.version,
        "expected_count": 3,
        "assigned_count": 1,
        "failed_count": 1,
        "late_count": 1,
        "parked_count": 0,
        "deadline": "2026-01-31T13:00:00Z",
        "announcement": {
            "event_id": str(UUID(int=1)),
            "detail_type": "BatchEssaysReady",
            "first_sent_at": NOW.isoformat().replace("+00:00", "Z"),
            "unsent_since": None,
        },
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
        "next_page_token": page_token(PagePosition(2, "upload:late")),
    }


def test_an_awaited_batch_has_no_deadline_and_no_slots() -> None:
    overview = BatchOverview(batch(Status.AWAITED), NOW, (), 0, 2, NOW, "", None, None, None)
    awaited = batch_status_answer(BatchDescription(overview, "one sentence", [], None))
    assert (awaited.status, awaited.deadline, awaited.parked_count) == (Status.AWAITED, None, 2)
    assert (awaited.ready_essays, awaited.missing_essay_ids, awaited.next_page_token) == ([], [], None)


@pytest.mark.parametrize("status", [Status.READY, Status.TIMED_OUT])
def test_lists_and_digest_are_those_of_the_final_result(status: Status) -> None:
    held = snapshot(3, ["a"], ["f"], status=status)
    final = final_result(batch_closed(held)).model_dump()
    answered = answer(held).model_dump()
    for name in ("ready_essays", "validation_failures", "digest"):
        assert answered[name] == final[name]


def test_the_failures_of_a_failed_batch_are_those_of_its_final_result() -> None:
    held = snapshot(2, failed=["f", "g"], status=Status.FAILED)
    final = final_result(batch_closed(held)).model_dump()
    assert answer(held).model_dump()["validation_failures"] == final["failed_essays"]


@pytest.mark.parametrize(
    "position", [PagePosition(), PagePosition(1, "essay-1"), PagePosition(2, "upload:f")]
)
def test_a_page_token_names_its_position(position: PagePosition) -> None:
    assert page_position(page_token(position)) == position


@pytest.mark.parametrize(
    "token", ["", "x", "%%%", *(urlsafe_b64encode(t).decode() for t in (b"[]", b'[3,"a"]', b"[1,2]", b"{}"))]
)
def test_a_token_that_this_service_did_not_make_is_rejected(token: str) -> None:
    with pytest.raises(ValueError, match="page token"):
        page_position(token)
