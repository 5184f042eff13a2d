"""The rules: what becomes of the arrivals of one locked batch. A pure function of what the record says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from els_core.domain.arrivals import Content, key_of
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
    from datetime import datetime

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch
    from els_core.domain.outcomes import FinalOutcome, Outcome


@dataclass(frozen=True, slots=True)
class LockedView:
    """What the record says under the lock: its time, the first answers, and free slots, proposed ones first.

    `free` holds at least one slot for each arrival without a first answer, or all that are left.
    """

    now: datetime
    first: Mapping[ArrivalKey, FinalOutcome]
    free: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class BatchChange:
    """What one transaction does to one batch: the row as it was and will be, and the new outcomes."""

    before: Batch
    after: Batch
    decided: tuple[tuple[Arrival, Outcome], ...] = ()

    @property
    def closes(self) -> bool:
        """Tell whether the batch gets its final result now."""
        return self.after.status.is_terminal and not self.before.status.is_terminal

    def fresh(self) -> Iterator[tuple[Arrival, Outcome]]:
        """Yield the arrivals that became facts now, without the duplicates."""
        return ((arrival, outcome) for arrival, outcome in self.decided if not isinstance(outcome, Duplicate))


def decide(
    batch: Batch,
    arrivals: Sequence[Arrival],
    proposals: Mapping[ArrivalKey, Proposal],
    locked_view: LockedView,
) -> BatchChange:
    """Decide distinct arrivals of one locked batch, in order, and close it when it is due or full."""
    if batch.status is Status.AWAITED:
        return BatchChange(
            batch, _with_next_version(batch), tuple((arrival, Parked()) for arrival in arrivals)
        )
    batch_now = expire(batch, locked_view.now)
    slots = _Slots(locked_view.free.get(batch.batch_id, ()))
    decided: list[tuple[Arrival, Outcome]] = []
    for arrival in arrivals:
        first = locked_view.first.get(key_of(arrival))
        proposal = proposals.get(key_of(arrival))
        outcome = Duplicate(first) if first else _place(arrival, batch_now.status, slots, proposal)
        decided.append((arrival, outcome))
    after = complete(_counted(batch_now, [outcome for _, outcome in decided]))
    changed = after != batch or any(not isinstance(outcome, Duplicate) for _, outcome in decided)
    return BatchChange(batch, _with_next_version(after) if changed else batch, tuple(decided))


def time_out(batch: Batch) -> BatchChange:
    """Close an open batch whose deadline the record has seen passing."""
    return BatchChange(batch, _with_next_version(replace(batch, status=Status.TIMED_OUT)))


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
    """Tell whether Redis, having made this proposal, knows the batch as the record has it."""
    if change.before.status != change.after.status:
        return False
    if change.after.status is Status.AWAITED:
        return proposal.word is ProposalKind.UNKNOWN
    if change.after.status.is_terminal:
        return proposal.word is ProposalKind.FULL
    return proposal.word is not ProposalKind.UNKNOWN and proposal.essay_id == slot_of(outcome)


def _with_next_version(batch: Batch) -> Batch:
    return replace(batch, version=batch.version + 1)


def _place(arrival: Arrival, status: Status, slots: _Slots, proposal: Proposal | None) -> FinalOutcome:
    """Give the arrival its proposed slot if that is free, else another free one, else none."""
    reason = Reason.BATCH_TIMED_OUT if status is Status.TIMED_OUT else Reason.NO_AVAILABLE_SLOT
    essay_id = slots.take(proposal.essay_id if proposal else None) if status is Status.OPEN else None
    if isinstance(arrival, Content):
        return Assigned(essay_id) if essay_id is not None else Excess(reason)
    return Failed(essay_id) if essay_id is not None else Late(reason)


def _counted(batch: Batch, outcomes: Sequence[Outcome]) -> Batch:
    """Count the slots that these outcomes use."""
    return replace(
        batch,
        assigned_count=batch.assigned_count + sum(isinstance(outcome, Assigned) for outcome in outcomes),
        failed_count=batch.failed_count + sum(isinstance(outcome, Failed) for outcome in outcomes),
    )


class _Slots:
    """The free slots under the lock, each handed out once."""

    def __init__(self, free: Sequence[str]) -> None:
        self._free = dict.fromkeys(free)

    def take(self, wanted: str | None) -> str | None:
        """Take the wanted slot if it is free, else any."""
        if wanted is not None and wanted in self._free:
            del self._free[wanted]
            return wanted
        return self._free.popitem()[0] if self._free else None
