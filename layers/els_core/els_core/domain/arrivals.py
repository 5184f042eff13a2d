"""What arrives for a batch: contents and failures, each with an identity inside its batch."""

from __future__ import annotations

from dataclasses import dataclass


def content_identity(text_storage_id: str) -> str:
    """Return the identity of a content inside its batch."""
    return f"content:{text_storage_id}"


@dataclass(frozen=True, slots=True)
class Content:
    """One validated text, identified inside its batch by its `text_storage_id`."""

    batch_id: str
    text_storage_id: str
    raw_file_storage_id: str
    original_file_name: str
    file_size_bytes: int
    correlation_id: str
    content_md5_hash: str | None = None
    file_upload_id: str | None = None
    traceparent: str | None = None

    @property
    def identity(self) -> str:
        """Return the identity, prefixed so that a storage id equal to an upload id is no clash."""
        return content_identity(self.text_storage_id)


@dataclass(frozen=True, slots=True)
class Failure:
    """One file that failed validation, identified inside its batch by its upload id, else by its event id."""

    batch_id: str
    event_id: str
    raw_file_storage_id: str
    original_file_name: str
    file_size_bytes: int
    error_code: str
    error_message: str
    correlation_id: str
    file_upload_id: str | None = None
    traceparent: str | None = None

    @property
    def identity(self) -> str:
        """Return the identity, prefixed by what it rests on."""
        return f"upload:{self.file_upload_id}" if self.file_upload_id else f"event:{self.event_id}"


type Arrival = Content | Failure
type ArrivalKey = tuple[str, str]


def key_of(arrival: Arrival) -> ArrivalKey:
    """Return what names an arrival everywhere: its batch id and its identity in the batch."""
    return arrival.batch_id, arrival.identity
