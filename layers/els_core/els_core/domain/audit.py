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


class Repair(StrEnum):
    """Who repairs a finding."""

    SWEEP = "sweep"
    RELAY = "relay"
    INSTALL = "install"
    PERSON = "person"


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
    EVENT_BUS_MISSING = "event_bus_missing"

    @property
    def repair(self) -> Repair:
        """Return who repairs this: a regular job, installing the batch in Redis again, or a person."""
        match self:
            case FindingKind.OVERDUE_OPEN:
                return Repair.SWEEP
            case FindingKind.OUTBOX_TOO_OLD:
                return Repair.RELAY
            case FindingKind.REDIS_FORGOT | FindingKind.REDIS_DIFFERS | FindingKind.UNCOMMITTED_PROPOSALS:
                return Repair.INSTALL
            case (
                FindingKind.PARKED_TOO_LONG
                | FindingKind.COUNTS_DIFFER
                | FindingKind.DIGEST_DIFFERS
                | FindingKind.EVENT_BUS_MISSING
            ):
                return Repair.PERSON
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with one batch or with the whole system (`batch_id` is None).

    `since` is when it began, if Postgres knows that.
    """

    kind: FindingKind
    batch_id: str | None
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


@dataclass(frozen=True, slots=True)
class UnreadableView:
    """Redis holds something about a batch that makes no sense: a wrong type, odd bytes, no number."""


def compare(
    snapshot: BatchSnapshot, view: CoordinatorView | UnreadableView | None, now: datetime
) -> Finding | None:
    """Compare Redis with an open batch that was read from Postgres afterwards and was unchanged for `IDLE`.

    Nothing was committed between the two reads, or the batch would not be idle. So what differs is wrong, and
    a version of Redis that is greater than that of Postgres cannot be true.
    """
    if view is None:
        return _finding(FindingKind.REDIS_FORGOT, snapshot, "Redis does not know the batch")
    if isinstance(view, UnreadableView):
        return _finding(FindingKind.REDIS_DIFFERS, snapshot, "Redis holds values that cannot be read")
    if view.version > snapshot.batch.version:
        return _finding(FindingKind.REDIS_DIFFERS, snapshot, "Redis claims a greater version than Postgres")
    used = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    used |= {failure.identity: failure.essay_id for failure in snapshot.slot_failures}
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
