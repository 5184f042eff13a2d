"""The rules: what becomes of the arrivals of one locked batch. Pure functions of what Postgres says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.batches import Status
from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    Late,
    Parked,
    Proposal,
    ProposalKind,
    Reason,
    slot_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch
    from els_core.domain.outcomes import FinalOutcome, Outcome

# The most slots that a batch can have, and so the most arrivals that can ever find one.
MAX_PARKED = 2_000


@dataclass(frozen=True, slots=True)
class LockedView:
    """What Postgres says under the row locks: its time, first answers per arrival, free slots per batch.

    `free` lists proposed slots first, and holds at least one slot for each arrival without a first answer, or
    all that are left. `parked` are those of the arrivals that are parked already, and `parked_counts` how
    many arrivals each awaited batch has parked.
    """

    now: datetime
    first: Mapping[ArrivalKey, FinalOutcome]
    free: Mapping[str, Sequence[str]]
    parked: AbstractSet[ArrivalKey] = frozenset()
    parked_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchChange:
    """What one transaction does to one batch: the row before and after, and the outcome of each arrival."""

    before: Batch
    after: Batch
    decided: tuple[tuple[Arrival, Outcome], ...] = ()

    @property
    def closes(self) -> bool:
        """Tell whether the batch gets its final result in this transaction."""
        return self.after.status.is_terminal and not self.before.status.is_terminal

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
    if batch.status is Status.AWAITED:
        return _changed(batch, batch, _park(batch, arrivals, view))
    current = expire(batch, view.now)
    slots = _FreeSlots(view.free.get(batch.batch_id, ()))
    decided: list[tuple[Arrival, Outcome]] = []
    for arrival in arrivals:
        key = key_of(arrival)
        first = view.first.get(key)
        outcome = Duplicate(first) if first else _place(arrival, current.status, slots, proposals.get(key))
        decided.append((arrival, outcome))
    after = complete(_counted(current, [outcome for _, outcome in decided]))
    return _changed(batch, after, decided)


def _changed(before: Batch, after: Batch, decided: Sequence[tuple[Arrival, Outcome]]) -> BatchChange:
    """Return the change; the row keeps its version when nothing but duplicates came."""
    changed = after != before or any(not isinstance(outcome, Duplicate) for _, outcome in decided)
    return BatchChange(before, with_next_version(after) if changed else before, tuple(decided))


def _park(batch: Batch, arrivals: Sequence[Arrival], view: LockedView) -> list[tuple[Arrival, Outcome]]:
    """Park the arrivals of an awaited batch. One more than any batch has slots can never find a slot."""
    room = MAX_PARKED - view.parked_counts.get(batch.batch_id, 0)
    decided: list[tuple[Arrival, Outcome]] = []
    for arrival in arrivals:
        first = view.first.get(key_of(arrival))
        if first:
            decided.append((arrival, Duplicate(first)))
        elif key_of(arrival) in view.parked:
            decided.append((arrival, Parked()))
        elif room > 0:
            decided.append((arrival, Parked()))
            room -= 1
        else:
            decided.append((arrival, _without_slot(arrival, Reason.NO_AVAILABLE_SLOT)))
    return decided


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
    match proposal.kind:
        case ProposalKind.UNKNOWN:
            return change.after.status is Status.AWAITED
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
        case Status.READY | Status.FAILED | Status.TIMED_OUT:
            return proposal.kind is ProposalKind.FULL
        case _:
            assert_never(status)


def with_next_version(batch: Batch) -> Batch:
    """Return the row with the version that a write gives it."""
    return replace(batch, version=batch.version + 1)


def _place(arrival: Arrival, status: Status, slots: _FreeSlots, proposal: Proposal | None) -> FinalOutcome:
    """Give the arrival its proposed slot if that is free, else another free one, else none."""
    match status:
        case Status.OPEN:
            essay_id, reason = slots.take(proposal.essay_id if proposal else None), Reason.NO_AVAILABLE_SLOT
        case Status.TIMED_OUT:
            essay_id, reason = None, Reason.BATCH_TIMED_OUT
        case Status.AWAITED | Status.READY | Status.FAILED:
            essay_id, reason = None, Reason.NO_AVAILABLE_SLOT
        case _:
            assert_never(status)
    if essay_id is None:
        return _without_slot(arrival, reason)
    match arrival:
        case Content():
            return Assigned(essay_id)
        case Failure():
            return Failed(essay_id)
        case _:
            assert_never(arrival)


def _without_slot(arrival: Arrival, reason: Reason) -> FinalOutcome:
    """Return what becomes of an arrival that finds no slot."""
    match arrival:
        case Content():
            return Excess(reason)
        case Failure():
            return Late(reason)
        case _:
            assert_never(arrival)


def _counted(batch: Batch, outcomes: Sequence[Outcome]) -> Batch:
    """Add the slots that these outcomes use to the counts."""
    assigned, failed = batch.assigned_count, batch.failed_count
    for outcome in outcomes:
        match outcome:
            case Assigned():
                assigned += 1
            case Failed():
                failed += 1
            case Excess() | Late() | Parked() | Duplicate():
                pass
            case _:
                assert_never(outcome)
    return replace(batch, assigned_count=assigned, failed_count=failed)


class _FreeSlots:
    """The free slots of one locked batch, each handed out once."""

    def __init__(self, free: Sequence[str]) -> None:
        self._free = dict.fromkeys(free)

    def take(self, wanted: str | None) -> str | None:
        """Take the wanted slot if it is free, else any free slot; None when there is none."""
        if wanted is not None and wanted in self._free:
            del self._free[wanted]
            return wanted
        return self._free.popitem()[0] if self._free else None
