"""What an audit looks for, and how Redis is compared with the record: a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from els_core.domain.arrivals import content_identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from els_core.domain.batches import BatchSnapshot

# Longer than any invocation lives: what is still different after it was left behind by one that died.
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
        """Tell whether Redis is wrong about the batch; installing it again from the record heals that."""
        return self in {
            FindingKind.REDIS_FORGOT,
            FindingKind.REDIS_DIFFERS,
            FindingKind.UNCOMMITTED_PROPOSALS,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one batch; `since` is when it began, where the record knows that."""

    kind: FindingKind
    batch_id: str
    detail: str
    correlation_id: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CoordinatorView:
    """What Redis knows of a batch: free slots, and who holds the others by identity."""

    version: int
    available: frozenset[str]
    held: Mapping[str, str]
    proposed_at: float | None = None


def compare(snapshot: BatchSnapshot, known: CoordinatorView | None, now: datetime) -> Finding | None:
    """Compare Redis with an open batch that was read from the record before, and had not changed for `IDLE`.

    The order matters: a slot leaves Redis before it is taken in the record, never after.
    """
    if known is None:
        return _finding(FindingKind.REDIS_FORGOT, snapshot, "Redis does not know the batch")
    if known.version > snapshot.batch.version:
        return None  # the batch has moved on since it was read
    used = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    used |= {failure.identity: failure.essay_id for failure in snapshot.slot_failures if failure.essay_id}
    wrong = (known.available - set(snapshot.available)) | {
        essay_id for identity, essay_id in used.items() if known.held.get(identity) != essay_id
    }
    if wrong:
        return _finding(
            FindingKind.REDIS_DIFFERS, snapshot, f"Redis is wrong about {len(wrong)} slots in use"
        )
    lost = set(snapshot.available) - known.available
    if lost and (known.proposed_at or 0.0) <= (now - IDLE).timestamp():
        return _finding(
            FindingKind.UNCOMMITTED_PROPOSALS, snapshot, f"Redis proposed {len(lost)} slots that nobody took"
        )
    return None


def _finding(kind: FindingKind, snapshot: BatchSnapshot, detail: str) -> Finding:
    return Finding(
        kind, snapshot.batch.batch_id, detail, snapshot.details.correlation_id if snapshot.details else None
    )
