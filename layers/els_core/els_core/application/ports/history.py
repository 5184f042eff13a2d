"""What happened to a batch, and where an id occurs, as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from els_core.domain.batches import Status
    from els_core.domain.commands import CommandName


class HistoryKind(StrEnum):
    """What an entry of a history tells."""

    NAMED = "named"
    OPENED = "opened"
    ASSIGNED = "assigned"
    FAILED = "failed"
    LATE = "late"
    EXCESS = "excess"
    PARKED = "parked"
    SUPERSEDED = "superseded"
    COMMANDED = "commanded"
    ENDED = "ended"
    ANNOUNCED = "announced"
    REGISTRATION_REJECTED = "registration_rejected"


@dataclass(frozen=True, slots=True)
class HistoryPosition:
    """After which entry a page of a history begins; `section` and `key` order what happened at once."""

    at: datetime
    section: int
    key: str


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that happened to a batch, and where it stands in the history."""

    position: HistoryPosition
    kind: HistoryKind
    identity: str | None = None
    essay_id: str | None = None
    epoch: int | None = None
    status: Status | None = None
    command: CommandName | None = None
    reason: str | None = None
    by: str | None = None
    comment: str | None = None
    event_id: UUID | None = None


class FoundKind(StrEnum):
    """What a searched id is."""

    BATCH = "batch"
    CONTENT = "content"
    UPLOAD = "upload"
    EVENT = "event"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class FoundPosition:
    """After which find a page begins."""

    batch_id: str
    kind: FoundKind
    identity: str


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A place where an id occurs."""

    position: FoundPosition
    outcome: str
    essay_id: str | None = None
    reason: str | None = None
    at: datetime | None = None
