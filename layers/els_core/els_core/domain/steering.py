"""The rules of commands: what becomes of a command in each status of its batch. Pure functions.

A command is judged under the row lock, after a deadline that has passed has closed the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import content_identity
from els_core.domain.batches import EndedBy, Status
from els_core.domain.commands import (
    MAX_TIMEOUT,
    AddSlots,
    Announce,
    Cancel,
    ChangeDeadline,
    Close,
    Refusal,
    ReleaseSlot,
    Reopen,
    WithdrawSlots,
)
from els_core.domain.decisions import BatchChange, complete, with_next_version
from els_core.domain.outcomes import Reason
from els_core.domain.places import counted, without_slot
from els_core.domain.reopening import Standby, reopen, slots_to_add
from els_core.domain.superseding import SupersededArrival

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch, BatchSnapshot
    from els_core.domain.commands import Command


@dataclass(frozen=True, slots=True)
class SteeringView:
    """What Postgres says of a locked batch: its parked arrivals if awaited, its `standby` if ended.

    `if_version` and `if_epoch` are what the batch must be at, where the command says so.
    """

    snapshot: BatchSnapshot
    now: datetime
    parked: Sequence[Arrival] = ()
    standby: Standby = field(default_factory=Standby)
    if_version: int | None = None
    if_epoch: int | None = None


def steer(command: Command, view: SteeringView, command_id: str) -> BatchChange | Refusal:
    """Return what the command does to the batch, or why it is refused; an unchanged row is a success too."""
    batch = view.snapshot.batch
    if view.if_version is not None and view.if_version != batch.version:
        return Refusal.VERSION_CHANGED
    if view.if_epoch is not None and view.if_epoch != batch.epoch:
        return Refusal.WRONG_EPOCH
    match batch.status:
        case Status.AWAITED:
            return _steer_awaited(command, view)
        case Status.OPEN:
            return _steer_open(command, view, command_id)
        case Status.READY | Status.FAILED | Status.TIMED_OUT | Status.CANCELLED:
            return _steer_ended(command, view, command_id)
        case _:
            assert_never(batch.status)


def _steer_awaited(command: Command, view: SteeringView) -> BatchChange | Refusal:
    match command:
        case Cancel():
            outcomes = tuple((one, without_slot(one, Reason.BATCH_CANCELLED)) for one in view.parked)
            cancelled = replace(view.snapshot.batch, status=Status.CANCELLED)
            return BatchChange(view.snapshot.batch, with_next_version(cancelled), outcomes)
        case (
            ChangeDeadline() | Close() | WithdrawSlots() | AddSlots() | ReleaseSlot() | Reopen() | Announce()
        ):
            return Refusal.NOT_REGISTERED
        case _:
            assert_never(command)


def _steer_open(command: Command, view: SteeringView, command_id: str) -> BatchChange | Refusal:
    snapshot = view.snapshot
    batch = snapshot.batch
    judged: BatchChange | Refusal
    match command:
        case Cancel():
            judged = BatchChange(batch, with_next_version(replace(batch, status=Status.CANCELLED)))
        case ChangeDeadline(deadline):
            judged = _change_deadline(batch, deadline, view.now)
        case Close():
            judged = _withdraw(snapshot, snapshot.available, EndedBy.CLOSE)
        case WithdrawSlots():
            judged = _withdraw_some(command, snapshot)
        case AddSlots(essay_ids):
            judged = _add(snapshot, essay_ids)
        case ReleaseSlot(identity):
            judged = _release(snapshot, identity, command_id)
        case Reopen():
            judged = Refusal.NOT_TERMINAL
        case Announce():
            judged = _announce(command, batch, batch.epoch - 1)
        case _:
            assert_never(command)
    return judged


def _steer_ended(command: Command, view: SteeringView, command_id: str) -> BatchChange | Refusal:
    batch = view.snapshot.batch
    match command:
        case Cancel():
            return BatchChange(batch, batch) if batch.status is Status.CANCELLED else Refusal.TOO_LATE
        case ChangeDeadline() | Close() | WithdrawSlots() | AddSlots() | ReleaseSlot():
            return Refusal.TOO_LATE
        case Reopen():
            if not batch.is_registered:
                return Refusal.NOT_REGISTERED
            return reopen(command, view.snapshot, view.standby, view.now, command_id)
        case Announce():
            return _announce(command, batch, batch.epoch)
        case _:
            assert_never(command)


def _change_deadline(batch: Batch, deadline: datetime, now: datetime) -> BatchChange | Refusal:
    if deadline <= now:
        return Refusal.DEADLINE_PAST
    if deadline > now + MAX_TIMEOUT:
        return Refusal.DEADLINE_TOO_FAR
    if deadline == batch.deadline:
        return BatchChange(batch, batch)
    return BatchChange(batch, with_next_version(replace(batch, deadline=deadline)))


def _withdraw_some(command: WithdrawSlots, snapshot: BatchSnapshot) -> BatchChange | Refusal:
    """Withdraw the named slots, or the last free ones in byte order: ids are ASCII."""
    free = sorted(snapshot.available)
    if command.count is not None:
        if command.count > len(free):
            return Refusal.SLOT_IN_USE
        return _withdraw(snapshot, free[len(free) - command.count :], None)
    missing = set(command.essay_ids) - set(free)
    used = {slot.essay_id for slot in snapshot.assigned} | {one.essay_id for one in snapshot.slot_failures}
    if missing:
        return Refusal.SLOT_IN_USE if missing <= used else Refusal.SLOT_UNKNOWN
    return _withdraw(snapshot, command.essay_ids, None)


def _withdraw(
    snapshot: BatchSnapshot, essay_ids: Sequence[str], ended_by: EndedBy | None
) -> BatchChange | Refusal:
    """Expect these slots no longer; the batch may be full without them, but it is never empty."""
    batch = snapshot.batch
    expected = batch.expected_count - len(essay_ids)
    if not expected:
        return Refusal.EMPTY
    after = complete(replace(batch, expected_count=expected))
    return BatchChange(batch, with_next_version(after), withdrawn=tuple(essay_ids), ended_by=ended_by)


def _add(snapshot: BatchSnapshot, essay_ids: Sequence[str]) -> BatchChange | Refusal:
    refusal = slots_to_add(snapshot, essay_ids)
    if refusal is not None:
        return refusal
    batch = snapshot.batch
    after = replace(batch, expected_count=batch.expected_count + len(essay_ids))
    return BatchChange(batch, with_next_version(after), added=tuple(essay_ids))


def _release(snapshot: BatchSnapshot, identity: str, command_id: str) -> BatchChange | Refusal:
    holders = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    holders |= {failure.identity: failure.essay_id for failure in snapshot.slot_failures}
    if identity not in holders:
        return Refusal.NOT_BOUND
    released = SupersededArrival(identity, holders[identity], by_command=command_id)
    after = with_next_version(counted(snapshot.batch, (), [released]))
    return BatchChange(snapshot.batch, after, superseded=(released,))


def _announce(command: Announce, batch: Batch, last: int) -> BatchChange | Refusal:
    """Announcing changes nothing in the batch; each epoch up to the last ended one has its result."""
    wanted = last if command.epoch is None else command.epoch
    return BatchChange(batch, batch) if 1 <= wanted <= last else Refusal.NOTHING_TO_ANNOUNCE
