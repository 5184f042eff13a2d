"""The events that the functions get, with every id and every text as long as the contract allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.workload import sqs_event
from els_core.domain.arrivals import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

EMOJI = "\N{GRINNING FACE}"
CORRELATION = "6f1f0f5e-0000-4000-8000-000000000001"
ID_LENGTH = 128
SCHEDULED: dict[str, Any] = {}


def long_id(kind: str, number: int) -> str:
    """Return an id of the greatest length, as the SQL of the stores makes it."""
    return f"{kind}-{number}-".ljust(ID_LENGTH, "x")


def contents(batch: int, numbers: Sequence[int]) -> list[Content]:
    """Return contents of one batch."""
    return [
        Content(
            batch_id=long_id("batch", batch),
            text_storage_id=long_id("new-text", number),
            raw_file_storage_id=long_id("raw", number),
            original_file_name=EMOJI * 255,
            file_size_bytes=400,
            correlation_id=CORRELATION,
            content_md5_hash="0" * 32,
            file_upload_id=long_id("upload", number),
        )
        for number in numbers
    ]


def contents_event(arrivals: Sequence[Content]) -> dict[str, Any]:
    """Return the SQS event of so many contents."""
    return sqs_event(arrivals)


def registrations_event(batches: Sequence[int], slots: int) -> dict[str, Any]:
    """Return the SQS event of registrations."""
    bodies = [json.dumps(_registration(batch, slots), ensure_ascii=False) for batch in batches]
    return {"Records": [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]}


def status_request(batch: int, page_token: str | None) -> dict[str, Any]:
    """Return the request for a page of a batch."""
    path = f"/batches/{long_id('batch', batch)}"
    return {
        "version": "2.0",
        "routeKey": "GET /batches/{batch_id}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api"},
        "queryStringParameters": {"page_token": page_token} if page_token else {},
        "requestContext": {"http": {"method": "GET", "path": path}, "requestId": "id", "stage": "$default"},
        "isBase64Encoded": False,
    }


def _registration(batch: int, slots: int) -> dict[str, Any]:
    data = {
        "batch_id": long_id("batch", batch),
        "essay_ids": [long_id("essay", number) for number in range(slots)],
        "expected_essay_count": slots,
        "course_code": "ENG".ljust(ID_LENGTH, "x"),
        "user_id": "user".ljust(ID_LENGTH, "x"),
        "org_id": "org".ljust(ID_LENGTH, "x"),
        "class_id": "class".ljust(ID_LENGTH, "x"),
        "essay_instructions": EMOJI * 10_000,
        "student_prompt_ref": EMOJI * 500,
    }
    metadata = {
        "event_id": CORRELATION,
        "correlation_id": CORRELATION,
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": "batch-service",
        "schema_version": 1,
    }
    return {"detail-type": "BatchEssaysRegistered", "detail": {"metadata": metadata, "data": data}}
