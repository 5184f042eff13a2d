"""The events of the producer, in the form in which an EventBridge rule puts them into a queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never
from uuid import NAMESPACE_OID, uuid5

from els_core.application.messages import PoisonMessage
from els_core.contracts.inbound import parse_registration
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival

TIMEOUT = 86_400


def body_of(event: Arrival | Registration) -> str:
    """Return the message body of an event."""
    match event:
        case Content():
            return _event("EssayContentProvisioned", event.correlation_id, _content(event))
        case Failure():
            data = _failure(event)
            return _event("EssayValidationFailed", event.correlation_id, data, event.event_id)
        case Registration():
            details = event.details
            return _event("BatchEssaysRegistered", details.correlation_id, _registration(event))
        case _:
            assert_never(event)


def as_parsed(registration: Registration) -> Registration:
    """Return the registration as the service parses it, with the fingerprint of its data."""
    parsed = parse_registration(body_of(registration), TIMEOUT)
    if isinstance(parsed, PoisonMessage):
        raise TypeError(parsed.reason)
    return parsed


def _event(detail_type: str, correlation_id: str, data: dict[str, Any], event_id: str | None = None) -> str:
    known = {name: value for name, value in data.items() if value is not None}
    metadata = {
        "event_id": event_id or str(uuid5(NAMESPACE_OID, json.dumps(known))),
        "correlation_id": correlation_id,
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": "upstream",
        "schema_version": 1,
    }
    return json.dumps({"detail-type": detail_type, "detail": {"metadata": metadata, "data": known}})


def _content(content: Content) -> dict[str, Any]:
    return {
        "batch_id": content.batch_id,
        "text_storage_id": content.text_storage_id,
        "raw_file_storage_id": content.raw_file_storage_id,
        "original_file_name": content.original_file_name,
        "file_size_bytes": content.file_size_bytes,
        "content_md5_hash": content.content_md5_hash,
        "file_upload_id": content.file_upload_id,
        "supersedes": content.supersedes,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "batch_id": failure.batch_id,
        "original_file_name": failure.original_file_name,
        "raw_file_storage_id": failure.raw_file_storage_id,
        "validation_error_code": failure.error_code,
        "validation_error_message": failure.error_message,
        "file_size_bytes": failure.file_size_bytes,
        "file_upload_id": failure.file_upload_id,
        "supersedes": failure.supersedes,
    }


def _registration(registration: Registration) -> dict[str, Any]:
    details = registration.details
    return {
        "batch_id": registration.batch_id,
        "essay_ids": list(registration.essay_ids),
        "expected_essay_count": len(registration.essay_ids),
        "course_code": details.course_code,
        "user_id": details.user_id,
        "org_id": details.org_id,
        "class_id": details.class_id,
        "essay_instructions": details.essay_instructions,
        "student_prompt_ref": details.student_prompt_ref,
        "timeout_seconds": details.timeout_seconds,
    }
