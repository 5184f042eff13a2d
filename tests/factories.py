"""The one place where tests build arrivals, registrations, batches and inbound events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from els_core.application.commands import CommandRequest, Door, Sender
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    Registration,
    RegistrationDetails,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.commands import Command
    from els_core.domain.outcomes import FinalOutcome

CORRELATION = "6f1f0f5e-0000-4000-8000-000000000001"
EVENT = "6f1f0f5e-0000-4000-8000-000000000002"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DEADLINE = NOW + timedelta(hours=1)


def content(name: str, batch_id: str = "b", supersedes: str | None = None) -> Content:
    """Return a content; `supersedes` is an identity."""
    return Content(batch_id, name, f"raw-{name}", f"{name}.txt", 400, CORRELATION, supersedes=supersedes)


def failure(name: str, batch_id: str = "b", supersedes: str | None = None) -> Failure:
    """Return a failure; `supersedes` is an identity."""
    return Failure(
        batch_id,
        EVENT,
        "STORAGE_FAILED",
        f"{name}.txt",
        0,
        "EMPTY_CONTENT",
        "empty",
        CORRELATION,
        name,
        supersedes=supersedes,
    )


def command_request(
    command: Command, command_id: str = "command", batch_id: str = "b", **options: Any
) -> CommandRequest:
    """Return a command as it comes in; its fingerprint is that of its arguments."""
    sender = Sender(options.pop("door", Door.BUS), "tests", "teacher", options.pop("org_id", None))
    arguments = {name: value for name, value in options.items() if name != "is_dry_run"}
    request = CommandRequest(
        batch_id, command_id, command, sender, CORRELATION, "{}", f"{command} {arguments}"
    )
    return replace(request, **options)


def essay_ids(count: int) -> tuple[str, ...]:
    return tuple(f"essay-{number:04}" for number in range(count))


def details(timeout_seconds: int = 3_600) -> RegistrationDetails:
    return RegistrationDetails("ENG5", "teacher", CORRELATION, timeout_seconds)


def registration(slots: int, batch_id: str = "b", timeout_seconds: int = 3_600) -> Registration:
    return Registration(batch_id, essay_ids(slots), details(timeout_seconds), f"fingerprint of {slots}")


def batch(
    status: Status = Status.OPEN,
    slots: int = 3,
    assigned: int = 0,
    failed: int = 0,
    deadline: datetime = DEADLINE,
) -> Batch:
    """Return the row of the batch `b` at version 1; an awaited one has no slots and no deadline."""
    if status is Status.AWAITED:
        return Batch("b", status, 1)
    return Batch("b", status, 1, slots, assigned, failed, deadline, f"fingerprint of {slots}")


def snapshot(
    slots: int,
    assigned: Sequence[str] = (),
    failed: Sequence[str] = (),
    *,
    status: Status = Status.OPEN,
) -> BatchSnapshot:
    """Return a registered batch: the first slots have contents, the next ones failures, the rest are free."""
    free = iter(essay_ids(slots))
    holders = tuple(AssignedSlot(next(free), name, f"{name}.txt") for name in assigned)
    failures = tuple(recorded_failure(name, next(free)) for name in failed)
    row = batch(status, slots, len(assigned), len(failed))
    return BatchSnapshot(row, details(), tuple(free), holders, failures)


def recorded_failure(name: str, essay_id: str) -> RecordedFailure:
    return RecordedFailure(failure(name).identity, essay_id, f"{name}.txt", "EMPTY_CONTENT", name)


def first_answers(*answers: tuple[Arrival, FinalOutcome]) -> dict[ArrivalKey, FinalOutcome]:
    """Return the first answers of arrivals by their keys."""
    return {(arrival.batch_id, arrival.identity): answer for arrival, answer in answers}


def registration_event(**data: object) -> dict[str, Any]:
    """Return an inbound registration as EventBridge delivers it; `data` replaces or adds fields."""
    fields = {
        "batch_id": "b",
        "essay_ids": ["essay-0000", "essay-0001"],
        "expected_essay_count": 2,
        "course_code": "ENG5",
        "user_id": "teacher",
    }
    return _event("BatchEssaysRegistered", fields | data)


def content_event(**data: object) -> dict[str, Any]:
    """Return an inbound content as EventBridge delivers it; `data` replaces or adds fields."""
    fields = {
        "batch_id": "b",
        "text_storage_id": "text",
        "raw_file_storage_id": "raw",
        "original_file_name": "essay.txt",
        "file_size_bytes": 400,
    }
    return _event("EssayContentProvisioned", fields | data)


def failure_event(**data: object) -> dict[str, Any]:
    """Return an inbound failure as EventBridge delivers it; `data` replaces or adds fields."""
    fields = {
        "batch_id": "b",
        "original_file_name": "essay.txt",
        "raw_file_storage_id": "STORAGE_FAILED",
        "validation_error_code": "EMPTY_CONTENT",
        "validation_error_message": "the file is empty",
        "file_size_bytes": 0,
    }
    return _event("EssayValidationFailed", fields | data)


def _event(detail_type: str, data: dict[str, object]) -> dict[str, Any]:
    metadata = {
        "event_id": EVENT,
        "correlation_id": CORRELATION,
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": "file-service",
        "schema_version": 1,
    }
    return {"detail-type": detail_type, "detail": {"metadata": metadata, "data": data}}
