"""Postgres as people read it. What is of another organisation than `org_id` is as if it were not there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from els_core.application.commands import Door
    from els_core.application.ports.history import (
        FoundPosition,
        FoundRow,
        HistoryPosition,
        HistoryRow,
    )
    from els_core.domain.batches import Batch, Status
    from els_core.domain.commands import CommandName, Refusal


@dataclass(frozen=True, slots=True)
class BatchTimes:
    """When a batch was named first, changed last, and when something arrived for it last."""

    created_at: datetime
    changed_at: datetime
    last_arrival_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchOwner:
    """Whose a batch is; all None for one that is not registered."""

    course_code: str | None = None
    user_id: str | None = None
    org_id: str | None = None
    class_id: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListedBatch:
    """A batch in a list. `is_stuck`: for three minutes it has been the service's own move."""

    batch: Batch
    owner: BatchOwner
    times: BatchTimes
    is_stuck: bool

    @property
    def position(self) -> ListPosition:
        """Return where the page after this batch begins."""
        return ListPosition(self.times.created_at, self.batch.batch_id)


@dataclass(frozen=True, slots=True)
class ListPosition:
    """After which batch a page of a list begins: neither of the two ever changes."""

    created_at: datetime
    batch_id: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list; `next_page` is None when nothing follows. A short page need not be the last."""

    batches: Sequence[ListedBatch]
    next_page: ListPosition | None = None


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches a list shows; None lets all through."""

    status: Status | None = None
    is_stuck: bool = False
    has_parked: bool = False
    user_id: str | None = None
    org_id: str | None = None
    course_code: str | None = None
    created_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """The final result of an epoch: its event, when the bus first accepted it, and since when it waits."""

    event_id: UUID
    detail_type: str
    first_sent_at: datetime | None
    unsent_since: datetime | None


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command that was answered; `refusal` is None for one that was applied."""

    command_id: str
    command: CommandName
    door: Door
    actor: str
    reason: str | None
    refusal: Refusal | None
    epoch: int
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectedRegistration:
    """Another registration of the same batch, and the fields in which it differed."""

    differing_fields: tuple[str, ...]
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class OtherCounts:
    """How much of a batch has no slot. `taken_in` counts the excess contents that re-opening can take in."""

    withdrawn: int = 0
    late: int = 0
    excess: int = 0
    taken_in: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class BatchOverview:
    """Where a batch stands at the time `now` of Postgres, without its lists.

    `missing` names the first free slots. Since `unsent_since` its oldest event in the outbox waits.
    `last_sweep` and `last_relay` are when these jobs last ran to their end, `redis_answered` when Redis last
    answered the health check.
    """

    batch: Batch
    now: datetime
    owner: BatchOwner
    times: BatchTimes
    counts: OtherCounts = OtherCounts()
    parked_since: datetime | None = None
    unsent_since: datetime | None = None
    missing: tuple[str, ...] = ()
    digest: str = ""
    announcement: Announcement | None = None
    commands: tuple[RecordedCommand, ...] = ()
    rejected: tuple[RejectedRegistration, ...] = ()
    last_sweep: datetime | None = None
    last_relay: datetime | None = None
    redis_answered: datetime | None = None


class ItemKind(StrEnum):
    """What an item of a batch is."""

    AVAILABLE = "available"
    ASSIGNED = "assigned"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    LATE = "late"
    EXCESS = "excess"


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A slot, a late failure or an excess content; what its kind does not have is None.

    `key` is the essay id of a slot and the identity of the others; `reason` is why one is late or excess.
    `is_whole`: an excess content that re-opening can take in.
    """

    kind: ItemKind
    key: str
    identity: str | None = None
    original_file_name: str | None = None
    file_upload_id: str | None = None
    error_code: str | None = None
    reason: str | None = None
    at: datetime | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class ItemPosition:
    """Where a page of a batch's items begins: section 1 are slots, 2 late failures, 3 excess contents."""

    epoch: int
    section: int = 1
    after: str = ""


@dataclass(frozen=True, slots=True)
class BatchItems:
    """A page of a batch's items, in byte order of their keys; `next_page` is None on the last one."""

    items: Sequence[BatchItem]
    next_page: ItemPosition | None = None


class Reader(Protocol):
    """Reads in single statements, each true at one moment. Raises what `Repository` raises."""

    def batches(
        self, wanted: BatchFilter, after: ListPosition | None, limit: int, org_id: str | None
    ) -> ListPage:
        """Return up to `limit` batches, the newest first."""
        ...

    def overview(self, batch_id: str, named: int, org_id: str | None) -> BatchOverview | None:
        """Return where a batch stands, naming up to `named` missing slots; None for an unknown batch."""
        ...

    def items(self, batch_id: str, position: ItemPosition, max_bytes: int) -> BatchItems:
        """Return a page of a batch's items, as many as fit, but at least one."""
        ...

    def history(
        self, batch_id: str, after: HistoryPosition | None, limit: int, org_id: str | None
    ) -> list[HistoryRow]:
        """Return up to `limit` entries, the oldest first; none for an unknown batch."""
        ...

    def find(
        self, searched: str, after: FoundPosition | None, limit: int, org_id: str | None
    ) -> list[FoundRow]:
        """Return up to `limit` places where an id occurs, in byte order of the batches."""
        ...
