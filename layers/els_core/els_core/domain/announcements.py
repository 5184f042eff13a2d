"""What a change of a batch announces."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import Content, Failure, text_storage_id_of
from els_core.domain.batches import AssignedSlot, ReleasedSlot
from els_core.domain.events import (
    BatchClosed,
    BatchReopened,
    ExcessContent,
    SlotsAssigned,
    SlotsReleased,
    ended_by_of,
)
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Superseded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import DomainEvent


def domain_events_of(change: BatchChange) -> Iterator[DomainEvent]:
    """Yield what a change announces about its arrivals. The final result needs a snapshot and comes later."""
    after = change.after
    at = (after.batch_id, after.epoch, after.version)
    assigned: list[tuple[Content, AssignedSlot]] = []
    excess: list[ExcessContent] = []
    for arrival, outcome in change.decided:
        match outcome:
            case Assigned(essay_id):
                content = _content(arrival, outcome)
                slot = AssignedSlot(
                    essay_id, content.text_storage_id, content.original_file_name, content.file_upload_id
                )
                assigned.append((content, slot))
            case Excess(reason):
                content = _content(arrival, outcome)
                excess.append(ExcessContent(content, reason, after.epoch, after.version))
            case Failed() | Late() | Superseded() | Parked() | Duplicate():
                pass
            case _:
                assert_never(outcome)
    cause = change.correlation_id or (change.decided[0][0].correlation_id if change.decided else "")
    if after.epoch > change.before.epoch:
        yield BatchReopened(after, len(change.taken_in), cause)
    released = released_slots(change)
    if released:
        yield SlotsReleased(*at, released, cause)
    if assigned:
        yield SlotsAssigned(*at, tuple(slot for _, slot in assigned), assigned[0][0].correlation_id)
    yield from excess


def released_slots(change: BatchChange) -> tuple[ReleasedSlot, ...]:
    """Return the slots that contents lost in a change."""
    return tuple(
        ReleasedSlot(one.essay_id, text_storage_id)
        for one in change.superseded
        if one.essay_id and (text_storage_id := text_storage_id_of(one.identity)) is not None
    )


def batch_closed(snapshot: BatchSnapshot, change: BatchChange | None = None) -> BatchClosed:
    """Return the final result of a batch that this change has just made terminal.

    Raises LookupError if neither a registration nor a command gives its correlation id.
    """
    batch = snapshot.batch
    details = snapshot.details
    command = change.correlation_id if change else None
    cause = details.correlation_id if details else command
    if cause is None:
        raise LookupError(f"batch {batch.batch_id} is {batch.status} and was never registered")
    closed_by = change.ended_by if change else None
    return BatchClosed(snapshot, details, closed_by or ended_by_of(batch.status), cause)


def _content(arrival: Arrival, outcome: Assigned | Excess) -> Content:
    """Return the arrival as the content that it must be to have this outcome."""
    match arrival:
        case Content():
            return arrival
        case Failure():
            raise TypeError(
                f"{arrival.identity} of batch {arrival.batch_id} is a failure: cannot be {outcome}"
            )
        case _:
            assert_never(arrival)
