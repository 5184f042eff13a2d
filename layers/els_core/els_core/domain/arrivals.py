"""What arrives for a batch: contents and failures, each with an identity inside its batch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

_CONTENT = "content:"


class ArrivalKind(StrEnum):
    """The two kinds of arrivals, as stored and announced."""

    CONTENT = "content"
    FAILURE = "failure"


def content_identity(text_storage_id: str) -> str:
    """Return the identity of a content inside its batch."""
    return f"{_CONTENT}{text_storage_id}"


def text_storage_id_of(identity: str) -> str | None:
    """Return the text storage id that an identity is made of, or None for that of a failure."""
    return identity.removeprefix(_CONTENT) if identity.startswith(_CONTENT) else None


@dataclass(frozen=True, slots=True)
class Content:
    """One validated text, identified inside its batch by its `text_storage_id`.

    `supersedes` is the identity of the arrival of the same batch that this one replaces.
    """

    batch_id: str
    text_storage_id: str
    raw_file_storage_id: str
    original_file_name: str
    file_size_bytes: int
    correlation_id: str
    content_md5_hash: str | None = None
    file_upload_id: str | None = None
    traceparent: str | None = None
    supersedes: str | None = None

    @property
    def identity(self) -> str:
        """Return the identity. Its prefix keeps a storage id apart from an equal upload id."""
        return content_identity(self.text_storage_id)


@dataclass(frozen=True, slots=True)
class Failure:
    """One file that failed validation, identified inside its batch by its upload id, else by its event id.

    `supersedes` is the identity of the arrival that the file was meant to replace.
    """

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
    supersedes: str | None = None

    @property
    def identity(self) -> str:
        """Return the identity, prefixed with the kind of id that it is made of."""
        return f"upload:{self.file_upload_id}" if self.file_upload_id else f"event:{self.event_id}"


type Arrival = Content | Failure
type ArrivalKey = tuple[str, str]


def key_of(arrival: Arrival) -> ArrivalKey:
    """Return the key of an arrival: its batch id and its identity inside the batch."""
    return arrival.batch_id, arrival.identity


def kind_of(arrival: Arrival) -> ArrivalKind:
    """Return the kind of an arrival."""
    match arrival:
        case Content():
            return ArrivalKind.CONTENT
        case Failure():
            return ArrivalKind.FAILURE
        case _:
            assert_never(arrival)
