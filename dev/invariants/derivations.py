"""What the design derives from plain data, computed a second time: identities, event ids and the digest.

A judge that asked the service for these would share its bugs, so this file imports nothing of the service.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACE: Final = UUID("5f2c1f0e-6f0e-5d43-9f57-7a3c8f1f4a10")
TERMINAL_EVENTS: Final = {
    "ready": "BatchEssaysReady",
    "failed": "BatchValidationErrors",
    "timed_out": "BatchReadinessTimeout",
    "cancelled": "BatchCancelled",
}


def content_identity(text_storage_id: str) -> str:
    """Return the identity of a content inside its batch."""
    return f"content:{text_storage_id}"


def failure_identity(file_upload_id: str | None, event_id: str) -> str:
    """Return the identity of a failure inside its batch."""
    return f"upload:{file_upload_id}" if file_upload_id else f"event:{event_id}"


def event_id(*parts: str) -> UUID:
    """Return the id of an event: the batch id, the event type and what else its facts are named by."""
    return uuid5(NAMESPACE, " ".join(parts))


def digest(assignments: Iterable[tuple[str, str]]) -> str:
    """Return SHA-256 in hex over the sorted lines of essay id, blank, text storage id and newline."""
    lines = sorted(f"{essay_id} {text_storage_id}\n" for essay_id, text_storage_id in assignments)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
