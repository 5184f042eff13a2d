"""The rules: what becomes of the arrivals of one locked batch. Pure functions of what Postgres says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import key_of
from els_core.domain.batches import Status
from els_core.domain.outcomes import Duplicate, Late, Parked, ProposalKind, Reason, Superseded, slot_of
from els_core.domain.places import Places, counted, place
from els_core.domain.superseding import heirs, is_failed_replacement, superseded_by, takes_effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, EndedBy
    from els_core.domain.outcomes import FinalOutcome, Outcome, Proposal
    from els_core.domain.superseding import SupersededArrival


# The most slots that a batch can have, and so the most arrivals that can ever find one.
MAX_PARKED = 2_000


@dataclass(frozen=True, slots=True)
class LockedView:
    """What Postgres says under the row locks: its time, first answers per arrival, free slots per batch.

    `free` lists proposed slots first, and holds at least one slot for each arrival without a first answer, or
    all that are left. `parked` are those of the arrivals that are parked already, and `parked_counts` how
    many arrivals each awaited batch has parked. First answers are also of what the arrivals name as
    superseded, and of what that names in turn (`names`). `barred` are superseded before they came.
    """

    now: datetime
    first: Mapping[ArrivalKey, FinalOutcome]
    free: Mapping[str, Sequence[str]]
    parked: AbstractSet[ArrivalKey] = frozenset()
    parked_counts: Mapping[str, int] = field(default_factory=dict)
    barred: AbstractSet[ArrivalKey] = frozenset()
    names: Mapping[ArrivalKey, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchChange:
    """What one transaction does to one batch: the row before and after, and the outcome of each arrival.

    `superseded` are arrivals that lose their place, and `taken_in` identities of excess contents that are no
    longer excess. `ended_by` is given where the status does not tell it, `correlation_id` where a command is
    the cause.
    """

    before: Batch
    after: Batch
    decided: tuple[tuple[Arrival, Outcome], ...] = ()
    superseded: tuple[SupersededArrival, ...] = ()
    taken_in: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    ended_by: EndedBy | None = None
    correlation_id: str | None = None

    @property
    def closes(self) -> bool:
        """Tell whether an epoch of the batch gets its final result in this transaction."""
        was_open = not self.before.status.is_terminal or self.after.epoch > self.before.epoch
        return was_open and self.after.status.is_terminal

    @property
    def is_commanded(self) -> bool:
        """Tell whether a command made the change, and no arrival."""
        return self.correlation_id is not None

    def fresh(self) -> Iterator[tuple[Arrival, Outcome]]:
        """Yield the arrivals that are decided for the first time, without the duplicates."""
        return ((arrival, outcome) for arrival, outcome in self.decided if not isinstance(outcome, Duplicate))


def decide(
    batch: Batch,
    arrivals: Sequence[Arrival],
    proposals: Mapping[ArrivalKey, Proposal],
    view: LockedView,
) -> BatchChange:
    """Decide distinct arrivals of one locked batch, in order, and close the batch when it is due or full."""
    current = expire(batch, view.now)
    places = _places(current, arrivals, view)
    decided: list[tuple[Arrival, Outcome]] = []
    for arrival in arrivals:
        key = key_of(arrival)
        first = view.first.get(key)
        outcome: Outcome
        if first:
            outcome = Duplicate(first)
        elif key in view.parked:
            outcome = Duplicate(Superseded()) if arrival.identity in places.by else Parked()
        elif key in view.barred or arrival.identity in places.by:
            outcome = Superseded()
        elif is_failed_replacement(arrival):
            outcome = Late(Reason.REPLACEMENT_FAILED)
        else:
            outcome = place(arrival, current.status, places, proposals.get(key))
        decided.append((arrival, outcome))
    return _changed(batch, current, decided, places)


def _places(batch: Batch, arrivals: Sequence[Arrival], view: LockedView) -> Places:
    """Supersede what the arrivals name, for the whole call before any of them is placed."""
    free = view.free.get(batch.batch_id, ())
    room = MAX_PARKED - view.parked_counts.get(batch.batch_id, 0)
    if batch.status.is_terminal or not any(one.supersedes for one in arrivals):
        return Places(free, room=room)
    first = {identity: answer for (of, identity), answer in view.first.items() if of == batch.batch_id}
    barred = {identity for of, identity in view.barred if of == batch.batch_id}
    parked = {identity for of, identity in view.parked if of == batch.batch_id}
    fresh = {one.identity: one for one in arrivals if one.identity not in first.keys() | parked}
    names = {identity: name for (of, identity), name in view.names.items() if of == batch.batch_id}
    names |= {identity: one.supersedes for identity, one in fresh.items() if one.supersedes is not None}
    already = barred | {identity for identity, answer in first.items() if isinstance(answer, Superseded)}
    effective = [name for name, one in fresh.items() if takes_effect(one) or name in barred]
    by = superseded_by(effective, names, already)
    freed = {name: slot for name in by if name in first and (slot := slot_of(first[name])) is not None}
    live = [one for name, one in fresh.items() if name not in by.keys() | barred and takes_effect(one)]
    claims, left = heirs(live, names, freed)
    return Places([*free, *left], claims, by, freed, room + len(parked & by.keys()))


def _changed(
    before: Batch, current: Batch, decided: Sequence[tuple[Arrival, Outcome]], places: Places
) -> BatchChange:
    """Return the change; the row keeps its version when nothing but duplicates came."""
    superseded = places.superseded()
    after = complete(counted(current, [outcome for _, outcome in decided], superseded))
    changed = after != before or superseded or any(not isinstance(one, Duplicate) for _, one in decided)
    return BatchChange(
        before, with_next_version(after) if changed else before, tuple(decided), tuple(superseded)
    )


def time_out(batch: Batch) -> BatchChange:
    """Close an open batch whose deadline has passed by the time of Postgres."""
    return BatchChange(batch, with_next_version(replace(batch, status=Status.TIMED_OUT)))


def expire(batch: Batch, now: datetime) -> Batch:
    """Time the batch out if it is open and its deadline has passed."""
    due = batch.status is Status.OPEN and batch.deadline is not None and batch.deadline <= now
    return replace(batch, status=Status.TIMED_OUT) if due else batch


def complete(batch: Batch) -> Batch:
    """Close the batch if it is open and every slot is used, whatever the last arrival was."""
    if batch.status is not Status.OPEN or not batch.is_full:
        return batch
    return replace(batch, status=Status.READY if batch.assigned_count else Status.FAILED)


def coordinator_is_current(change: BatchChange, outcome: Outcome, proposal: Proposal) -> bool:
    """Tell whether Redis, having made this proposal, knows the batch as Postgres has it after the change.

    Redis's version was read before the row was locked, so one that is greater than the row's cannot be true.
    """
    if change.before.status != change.after.status or (proposal.version or 0) > change.before.version:
        return False
    if any(one.essay_id for one in change.superseded):
        return False
    match proposal.kind:
        case ProposalKind.UNKNOWN:
            return not change.after.is_registered
        case ProposalKind.FULL | ProposalKind.ASSIGNED | ProposalKind.DUPLICATE | ProposalKind.FAILED:
            return _fits(proposal, change.after.status, slot_of(outcome))
        case _:
            assert_never(proposal.kind)


def is_race_lost(outcome: Outcome, proposal: Proposal) -> bool:
    """Tell whether Redis knew the batch and proposed another slot, or none, than Postgres gave."""
    return proposal.kind is not ProposalKind.UNKNOWN and proposal.essay_id != slot_of(outcome)


def _fits(proposal: Proposal, status: Status, essay_id: str | None) -> bool:
    """Tell whether a proposal for a known batch fits the batch's status and the slot of the arrival."""
    match status:
        case Status.AWAITED:
            return False
        case Status.OPEN:
            return proposal.essay_id == essay_id
        case Status.READY | Status.FAILED | Status.TIMED_OUT | Status.CANCELLED:
            return proposal.kind is ProposalKind.FULL
        case _:
            assert_never(status)


def with_next_version(batch: Batch) -> Batch:
    """Return the row with the version that a write gives it."""
    return replace(batch, version=batch.version + 1)
