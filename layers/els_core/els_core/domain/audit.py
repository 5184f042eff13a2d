"""What an audit looks for, and how Redis is compared with Postgres: a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import content_identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from els_core.domain.batches import BatchSnapshot

# Longer than any invocation lives: a difference that is older was left behind by an invocation that died.
IDLE = timedelta(minutes=2)


class FindingKind(StrEnum):
    """What may be wrong with a batch."""

    OVERDUE_OPEN = "overdue_open"
    PARKED_TOO_LONG = "parked_too_long"
    OUTBOX_TOO_OLD = "outbox_too_old"
    COUNTS_DIFFER = "counts_differ"
    DIGEST_DIFFERS = "digest_differs"
    REDIS_FORGOT = "redis_forgot"
    REDIS_DIFFERS = "redis_differs"
    UNCOMMITTED_PROPOSALS = "uncommitted_proposals"

    @property
    def is_redis_wrong(self) -> bool:
        """Tell whether Redis is wrong about the batch; installing it again from Postgres repairs that."""
        match self:
            case FindingKind.REDIS_FORGOT | FindingKind.REDIS_DIFFERS | FindingKind.UNCOMMITTED_PROPOSALS:
                return True
            case (
                FindingKind.OVERDUE_OPEN
                | FindingKind.PARKED_TOO_LONG
                | FindingKind.OUTBOX_TOO_OLD
                | FindingKind.COUNTS_DIFFER
                | FindingKind.DIGEST_DIFFERS
            ):
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one batch; `since` is when it began, if Postgres knows that."""

    kind: FindingKind
    batch_id: str
    detail: str
    correlation_id: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CoordinatorView:
    """What Redis knows of a batch: free slots, and the slot of each identity that has one.

    `proposed_at` is when Redis last proposed a slot, in seconds since 1970.
    """

    version: int
    available: frozenset[str]
    slot_by_identity: Mapping[str, str]
    proposed_at: float | None = None


def compare(snapshot: BatchSnapshot, view: CoordinatorView | None, now: datetime) -> Finding | None:
    """Compare Redis with an open batch that was read from Postgres before and was unchanged for `IDLE`.

    The order of the two reads matters: a slot leaves Redis before it is taken in Postgres, never after.
    """
    if view is None:
        return _finding(FindingKind.REDIS_FORGOT, snapshot, "Redis does not know the batch")
    if view.version > snapshot.batch.version:
        return None  # the batch has moved on since it was read
    used = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    used |= {failure.identity: failure.essay_id for failure in snapshot.slot_failures if failure.essay_id}
    wrong = (view.available - set(snapshot.available)) | {
        essay_id for identity, essay_id in used.items() if view.slot_by_identity.get(identity) != essay_id
    }
    if wrong:
        detail = f"Redis is wrong about {len(wrong)} slots in use"
        return _finding(FindingKind.REDIS_DIFFERS, snapshot, detail)
    lost = set(snapshot.available) - view.available
    if lost and (view.proposed_at or 0.0) <= (now - IDLE).timestamp():
        detail = f"Redis proposed {len(lost)} slots, and no proposal was committed"
        return _finding(FindingKind.UNCOMMITTED_PROPOSALS, snapshot, detail)
    return None


def _finding(kind: FindingKind, snapshot: BatchSnapshot, detail: str) -> Finding:
    correlation_id = snapshot.details.correlation_id if snapshot.details else None
    return Finding(kind, snapshot.batch.batch_id, detail, correlation_id)
