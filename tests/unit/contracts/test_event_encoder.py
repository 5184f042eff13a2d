"""How every domain event is written on the bus: one row per event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import pytest

from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.contracts.fields import Metadata
from els_core.domain.announcements import batch_closed
from els_core.domain.batches import AssignedSlot, Status, digest_of
from els_core.domain.events import (
    DomainEvent,
    ExcessContent,
    ParkedOverdue,
    RegistrationRejected,
    SlotsAssigned,
)
from els_core.domain.outcomes import Reason
from tests.factories import CORRELATION, NOW, content, failure, snapshot

if TYPE_CHECKING:
    from els_core.domain.events import OutboxMessage

SLOT = AssignedSlot("essay-0000", "a", "a.txt", "upload")
READY = snapshot(2, ["a"], ["f"], status=Status.READY)
TIMED_OUT = snapshot(2, ["a"], status=Status.TIMED_OUT)
FAILED = snapshot(1, failed=["f"], status=Status.FAILED)

EVENTS: dict[str, tuple[DomainEvent, dict[str, Any]]] = {
    "EssaySlotsAssigned": (
        SlotsAssigned("b", 1, 2, (SLOT,), CORRELATION),
        {
            "batch_id": "b",
            "epoch": 1,
            "version": 2,
            "assignments": [
                {
                    "essay_id": "essay-0000",
                    "text_storage_id": "a",
                    "original_file_name": "a.txt",
                    "file_upload_id": "upload",
                }
            ],
        },
    ),
    "ExcessContentProvisioned": (
        ExcessContent(content("a"), Reason.BATCH_TIMED_OUT, 1, 2),
        {
            "batch_id": "b",
            "epoch": 1,
            "version": 2,
            "text_storage_id": "a",
            "original_file_name": "a.txt",
            "reason": "BATCH_TIMED_OUT",
        },
    ),
    "BatchRegistrationRejected": (
        RegistrationRejected("b", "fingerprint", "other data", CORRELATION, 1, 2),
        {"batch_id": "b", "epoch": 1, "version": 2, "reason": "other data"},
    ),
    "ParkedContentOverdue": (
        ParkedOverdue("b", 1, 2, (content("a"), failure("f")), CORRELATION),
        {
            "batch_id": "b",
            "epoch": 1,
            "version": 2,
            "arrivals": [
                {"kind": "content", "identity": "content:a", "original_file_name": "a.txt"},
                {"kind": "failure", "identity": "upload:f", "original_file_name": "f.txt"},
            ],
        },
    ),
}
FINAL_RESULTS = {
    "BatchEssaysReady": batch_closed(READY),
    "BatchValidationErrors": batch_closed(FAILED),
    "BatchReadinessTimeout": batch_closed(TIMED_OUT),
}


def encode(event: DomainEvent, encoder: JsonEventEncoder | None = None) -> OutboxMessage:
    """Encode an event that fits into one message."""
    [message] = (encoder or JsonEventEncoder()).encode([event], NOW)
    return message


@pytest.mark.parametrize("detail_type", EVENTS)
def test_an_event_has_its_detail_type_and_its_data(detail_type: str) -> None:
    event, data = EVENTS[detail_type]
    message = encode(event)
    assert (message.detail_type, message.batch_id) == (detail_type, "b")
    assert json.loads(message.detail)["data"] == data


@pytest.mark.parametrize("detail_type", FINAL_RESULTS)
def test_a_final_result_has_the_detail_type_of_its_status(detail_type: str) -> None:
    message = encode(FINAL_RESULTS[detail_type])
    assert (message.detail_type, message.batch_id) == (detail_type, "b")
    assert json.loads(message.detail)["data"]["lists_omitted"] is False


ALL = [event for event, _ in EVENTS.values()] + list(FINAL_RESULTS.values())


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_every_event_has_the_envelope_of_the_contract(event: DomainEvent) -> None:
    message = encode(event)
    metadata = json.loads(message.detail)["metadata"]
    read = Metadata.model_validate_json(json.dumps(metadata))
    assert json.loads(read.model_dump_json(exclude_none=True)) == metadata
    assert metadata == {
        "event_id": str(event.event_id),
        "correlation_id": CORRELATION,
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": "els",
        "schema_version": 1,
    }
    assert message.event_id == event.event_id


def test_the_trace_of_the_invocation_is_in_the_envelope() -> None:
    message = encode(ALL[0], JsonEventEncoder(traceparent=lambda: "00-trace-span-01"))
    assert json.loads(message.detail)["metadata"]["traceparent"] == "00-trace-span-01"


@pytest.mark.parametrize(
    ("event", "digest"),
    [
        (FINAL_RESULTS["BatchEssaysReady"], digest_of(READY.assigned)),
        (FINAL_RESULTS["BatchReadinessTimeout"], digest_of(TIMED_OUT.assigned)),
        (FINAL_RESULTS["BatchValidationErrors"], None),
        *((event, None) for event, _ in EVENTS.values()),
    ],
)
def test_only_a_final_result_with_a_ready_list_has_a_digest(event: DomainEvent, digest: str | None) -> None:
    assert encode(event).digest == digest


def test_events_are_encoded_in_their_order() -> None:
    messages = JsonEventEncoder().encode(ALL, NOW)
    assert [message.event_id for message in messages] == [event.event_id for event in ALL]


@pytest.mark.fault(2)
def test_the_parts_of_one_event_have_ids_of_their_own_that_never_change() -> None:
    slots = tuple(AssignedSlot(f"essay-{number}", f"text-{number}", "a.txt") for number in range(3))
    event = SlotsAssigned("b", 1, 2, slots, CORRELATION)
    ids = [message.event_id for message in JsonEventEncoder(max_detail_bytes=1).encode([event], NOW)]
    assert ids == [event.event_id, uuid5(event.event_id, "part 1"), uuid5(event.event_id, "part 2")]
