"""A batch: its row, its slots and everything else that is stored about it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID


class Status(StrEnum):
    """The status of a batch. READY, FAILED, TIMED_OUT and CANCELLED are terminal."""

    AWAITED = "awaited"
    OPEN = "open"
    READY = "ready"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Tell whether the batch has its final result."""
        match self:
            case Status.AWAITED | Status.OPEN:
                return False
            case Status.READY | Status.FAILED | Status.TIMED_OUT | Status.CANCELLED:
                return True
            case _:
                assert_never(self)


class EndedBy(StrEnum):
    """What ended an epoch."""

    FULL = "full"
    CLOSE = "close"
    DEADLINE = "deadline"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class RegistrationDetails:
    """Registration data other than slots; copied into the terminal event. `timeout_seconds` is in seconds."""

    course_code: str
    user_id: str
    correlation_id: str
    timeout_seconds: int
    org_id: str | None = None
    class_id: str | None = None
    essay_instructions: str | None = None
    student_prompt_ref: str | None = None

    @property
    def course_language(self) -> Literal["en", "sv"] | None:
        """Return the language of the course: `en` for ENG…, `sv` for SV…, else None."""
        if self.course_code.startswith("ENG"):
            return "en"
        return "sv" if self.course_code.startswith("SV") else None


@dataclass(frozen=True, slots=True)
class Registration:
    """The announcement of a batch: its slots, its details, and a fingerprint of the data as sent."""

    batch_id: str
    essay_ids: tuple[str, ...]
    details: RegistrationDetails
    fingerprint: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The row of a batch. One that was never registered has no slots, no deadline and no fingerprint.

    `epoch` counts from 1; each re-opening begins another one. `expected_count` leaves withdrawn slots out.
    """

    batch_id: str
    status: Status
    version: int
    expected_count: int = 0
    assigned_count: int = 0
    failed_count: int = 0
    deadline: datetime | None = None
    fingerprint: str | None = None
    epoch: int = 1

    @property
    def is_registered(self) -> bool:
        """Tell whether the batch has been registered; one that was cancelled before that never is."""
        return self.fingerprint is not None

    @property
    def is_full(self) -> bool:
        """Tell whether every slot is used."""
        return self.assigned_count + self.failed_count >= self.expected_count


@dataclass(frozen=True, slots=True)
class AssignedSlot:
    """A slot and the content that owns it."""

    essay_id: str
    text_storage_id: str
    original_file_name: str
    file_upload_id: str | None = None


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot that is available."""

    essay_id: str


@dataclass(frozen=True, slots=True)
class ReleasedSlot:
    """A slot that a content had and lost."""

    essay_id: str
    text_storage_id: str


@dataclass(frozen=True, slots=True)
class RecordedFailure:
    """A stored failure and the slot that it uses."""

    identity: str
    essay_id: str
    original_file_name: str
    error_code: str
    file_upload_id: str | None = None


@dataclass(frozen=True, slots=True)
class BatchSnapshot:
    """A batch with its slots at one version of its row; lists are sorted by id.

    `details` is None for a batch that is not registered. Late failures, of which there may be any number, are
    not part of it. `withdrawn` are slots that are not expected any more, and `previous_event_id` is that of
    the final result of the epoch before.
    """

    batch: Batch
    details: RegistrationDetails | None = None
    available: tuple[str, ...] = ()
    assigned: tuple[AssignedSlot, ...] = ()
    slot_failures: tuple[RecordedFailure, ...] = ()
    withdrawn: tuple[str, ...] = ()
    previous_event_id: UUID | None = None

    def error_categories(self) -> dict[str, int]:
        """Return the number of slots used by failures, per error code."""
        return dict(sorted(Counter(failure.error_code for failure in self.slot_failures).items()))


def digest_of(assigned: Iterable[AssignedSlot]) -> str:
    """Return SHA-256 in hex over the sorted lines `essay_id text_storage_id`, each ended by a newline."""
    lines = sorted(f"{slot.essay_id} {slot.text_storage_id}\n" for slot in assigned)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
