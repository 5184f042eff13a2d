"""The rules of re-opening: what another epoch of an ended batch begins with. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.domain.arrivals import content_identity
from els_core.domain.batches import Status
from els_core.domain.commands import Refusal
from els_core.domain.decisions import MAX_PARKED, BatchChange, complete, with_next_version
from els_core.domain.outcomes import Assigned
from els_core.domain.places import Places, counted, place
from els_core.domain.superseding import SupersededArrival, heirs, superseded_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from els_core.domain.arrivals import Content
    from els_core.domain.batches import Batch, BatchSnapshot
    from els_core.domain.commands import Reopen


@dataclass(frozen=True, slots=True)
class Standby:
    """What an ended batch keeps beside its slots.

    `excess` are its excess contents, the oldest first, at most as many as a batch can have slots. `names`
    tells what superseded and late arrivals name, and `superseded` which of these are superseded.
    """

    excess: Sequence[Content] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    superseded: AbstractSet[str] = frozenset()


def slots_to_add(snapshot: BatchSnapshot, essay_ids: Sequence[str]) -> Refusal | None:
    """Return why these slots cannot be added: they must be new or withdrawn, and not too many."""
    used = {slot.essay_id for slot in snapshot.assigned} | {one.essay_id for one in snapshot.slot_failures}
    if set(essay_ids) & (used | set(snapshot.available)):
        return Refusal.SLOT_EXISTS
    rows = len(used) + len(snapshot.available) + len(set(snapshot.withdrawn) | set(essay_ids))
    return Refusal.TOO_MANY_SLOTS if rows > MAX_PARKED else None


def reopen(
    command: Reopen, snapshot: BatchSnapshot, standby: Standby, now: datetime, command_id: str
) -> BatchChange | Refusal:
    """Open the next epoch: contents keep their slots, failures lose them, excess contents are taken in."""
    refusal = slots_to_add(snapshot, command.add_slots)
    if refusal is not None:
        return refusal
    failed = [
        SupersededArrival(one.identity, one.essay_id, by_command=command_id) for one in snapshot.slot_failures
    ]
    free = [*snapshot.available, *(one.essay_id for one in snapshot.slot_failures), *command.add_slots]
    places = _places(snapshot, standby, free)
    if not free and not places.freed:
        return Refusal.NOTHING_TO_WAIT_FOR
    waiting = [one for one in standby.excess if one.identity not in places.by]
    outcomes = [(one, place(one, Status.OPEN, places, None)) for one in waiting]
    decided = [(one, outcome) for one, outcome in outcomes if isinstance(outcome, Assigned)]
    superseded = [*failed, *places.superseded()]
    opened = _opened(snapshot.batch, command, now)
    after = complete(counted(opened, [outcome for _, outcome in decided], superseded))
    return BatchChange(
        snapshot.batch,
        with_next_version(after),
        tuple(decided),
        tuple(superseded),
        tuple(one.identity for one, _ in decided),
        command.add_slots,
    )


def _places(snapshot: BatchSnapshot, standby: Standby, free: Sequence[str]) -> Places:
    """Supersede what could not be superseded after the end, for all before any of them is placed."""
    held = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    already = standby.superseded | {one.identity for one in snapshot.slot_failures}
    names = {**standby.names, **{one.identity: one.supersedes for one in standby.excess if one.supersedes}}
    effective = [*(one.identity for one in standby.excess), *sorted(standby.superseded)]
    by = superseded_by(effective, names, already)
    freed = {identity: held[identity] for identity in by if identity in held}
    claims, left = heirs([one for one in standby.excess if one.identity not in by], names, freed)
    return Places([*free, *left], claims, by, freed)


def _opened(batch: Batch, command: Reopen, now: datetime) -> Batch:
    return replace(
        batch,
        status=Status.OPEN,
        epoch=batch.epoch + 1,
        deadline=now + timedelta(seconds=command.timeout_seconds),
        expected_count=batch.expected_count + len(command.add_slots),
    )
