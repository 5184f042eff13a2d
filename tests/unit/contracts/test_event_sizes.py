"""Every event fits the bus in UTF-8 bytes, whatever the size of the batch and its file names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from els_core.adapters.aws.event_bus import EventBridgePublisher
from els_core.application.budgets import always
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.announcements import batch_closed
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    RegistrationDetails,
    Status,
)
from els_core.domain.events import DomainEvent, ParkedOverdue, SlotsAssigned
from tests.factories import CORRELATION, NOW, content
from tests.unit.adapters.aws.clients import EventsClient

SLOTS = 2_000
# 255 characters of four bytes each, and of control characters, which JSON writes in six.
FILE_NAMES = {"four bytes each": "\U0001f4dd" * 255, "control characters": "\x01" * 255, "plain": "e.txt"}
DETAILS = RegistrationDetails(
    "ENG5", "u" * 128, CORRELATION, 1_209_600, "o" * 128, "c" * 128, "\x01" * 10_000, "\x01" * 500
)


def longest(prefix: str, number: int) -> str:
    return f"{prefix}-{number:04}".ljust(128, "x")


def snapshot(status: Status, file_name: str) -> BatchSnapshot:
    """Return a terminal batch of the largest size, with the longest ids."""
    used = SLOTS // 2 if status is Status.TIMED_OUT else SLOTS
    good = {Status.READY: used, Status.FAILED: 0, Status.TIMED_OUT: used // 2}[status]
    ids = [longest("essay", number) for number in range(SLOTS)]
    assigned = [AssignedSlot(one, longest("text", n), file_name) for n, one in enumerate(ids[:good])]
    failures = [
        RecordedFailure(longest("upload", n), one, file_name, "UNKNOWN_VALIDATION_ERROR", "u" * 128)
        for n, one in enumerate(ids[good:used])
    ]
    batch = Batch("b" * 128, status, 3, SLOTS, good, used - good, NOW, "f")
    return BatchSnapshot(batch, DETAILS, tuple(ids[used:]), tuple(assigned), tuple(failures))


def sent(*domain_events: DomainEvent) -> list[dict[str, Any]]:
    """Publish events on a bus that enforces the limits of AWS, and return the details that it accepted."""
    client: Any = EventsClient()
    messages = JsonEventEncoder().encode(domain_events, NOW)
    assert len(EventBridgePublisher(client, "bus").publish(messages, always)) == len(messages)
    accepted = sorted(entry["Detail"] for call in client.calls for entry in call)
    assert accepted == sorted(message.detail for message in messages)
    return [json.loads(message.detail) for message in messages]


@pytest.mark.fault(12)
@pytest.mark.parametrize("status", [Status.READY, Status.FAILED, Status.TIMED_OUT])
@pytest.mark.parametrize("file_name", FILE_NAMES)
def test_the_largest_final_result_fits_the_bus(status: Status, file_name: str) -> None:
    closed = snapshot(status, FILE_NAMES[file_name])
    [detail] = sent(batch_closed(closed))
    data = detail["data"]
    assert (data["expected_count"], data["assigned_count"], data["failed_count"]) == (
        SLOTS,
        len(closed.assigned),
        len(closed.slot_failures),
    )
    assert data["lists_omitted"] is (file_name != "plain")
    lists = [value for value in data.values() if isinstance(value, list)]
    assert sum(map(len, lists)) == (0 if data["lists_omitted"] else SLOTS)
    assert ("digest" in data) == (status is not Status.FAILED)


@pytest.mark.fault(12)
def test_a_final_result_keeps_its_lists_up_to_the_last_byte_that_fits() -> None:
    closing = batch_closed(snapshot(Status.READY, "plain"))
    [message] = JsonEventEncoder().encode([closing], NOW)
    data_bytes = len(json.dumps(json.loads(message.detail)["data"], separators=(",", ":")).encode())
    [fits] = JsonEventEncoder(data_bytes).encode([closing], NOW)
    [omits] = JsonEventEncoder(data_bytes - 1).encode([closing], NOW)
    assert json.loads(fits.detail)["data"]["lists_omitted"] is False
    assert json.loads(omits.detail)["data"]["lists_omitted"] is True
    assert fits.event_id == omits.event_id


@pytest.mark.fault(12)
@pytest.mark.parametrize("file_name", FILE_NAMES)
def test_assignments_and_overdue_arrivals_are_split_by_bytes_and_none_is_lost(file_name: str) -> None:
    name = FILE_NAMES[file_name]
    slots = snapshot(Status.READY, name).assigned
    contents = tuple(
        replace(content(slot.text_storage_id, "b" * 128), original_file_name=name) for slot in slots
    )
    domain_events: list[DomainEvent] = [
        SlotsAssigned("b" * 128, 1, 3, slots, CORRELATION),
        ParkedOverdue("b" * 128, 1, 3, contents, CORRELATION),
    ]
    details = sent(*domain_events)
    assigned = [one for detail in details for one in detail["data"].get("assignments", ())]
    overdue = [one for detail in details for one in detail["data"].get("arrivals", ())]
    assert [one["essay_id"] for one in assigned] == [slot.essay_id for slot in slots]
    assert [one["identity"] for one in overdue] == [one.identity for one in contents]
    ids = [detail["metadata"]["event_id"] for detail in details]
    assert len(set(ids)) == len(ids)
    assert ids == [detail["metadata"]["event_id"] for detail in sent(*domain_events)]
    assert len(details) == 2 if file_name == "plain" else len(details) > 2
