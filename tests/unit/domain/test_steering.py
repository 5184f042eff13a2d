"""The table of commands: what each does in each status, or why it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from els_core.domain.batches import EndedBy, Status
from els_core.domain.commands import (
    AddSlots,
    Announce,
    Cancel,
    ChangeDeadline,
    Close,
    Command,
    CommandName,
    Refusal,
    ReleaseSlot,
    Reopen,
    WithdrawSlots,
)
from els_core.domain.decisions import BatchChange
from els_core.domain.outcomes import Excess, Late, Reason
from els_core.domain.steering import SteeringView, steer
from els_core.domain.superseding import SupersededArrival
from tests.factories import NOW, batch, content, failure, snapshot

AWAITED, OPEN, READY, FAILED, TIMED_OUT, CANCELLED = Status
LATER = ChangeDeadline(NOW + timedelta(days=1))
COMMANDS: tuple[Command, ...] = (
    Cancel(),
    LATER,
    Close(),
    WithdrawSlots(count=1),
    AddSlots(("more",)),
    ReleaseSlot("content:a"),
    Reopen(60),
    Announce(),
)
LATE, UNREG = Refusal.TOO_LATE, Refusal.NOT_REGISTERED
NOT_YET, NOTHING, FULL = Refusal.NOT_TERMINAL, Refusal.NOTHING_TO_ANNOUNCE, Refusal.NOTHING_TO_WAIT_FOR
# The status afterwards, or the refusal. The batch has four slots: a content, a failure and, where it is not
# full, two free ones; the ready one has a content in each, the failed one a failure.
AFTERWARDS: dict[Status, tuple[Status | Refusal, ...]] = {
    #           cancel     deadline  close  withdraw  add    release  reopen   announce
    AWAITED:   (CANCELLED, UNREG,    UNREG, UNREG,    UNREG, UNREG,   UNREG,   UNREG),
    OPEN:      (CANCELLED, OPEN,     READY, OPEN,     OPEN,  OPEN,    NOT_YET, NOTHING),
    READY:     (LATE,      LATE,     LATE,  LATE,     LATE,  LATE,    FULL,    READY),
    FAILED:    (LATE,      LATE,     LATE,  LATE,     LATE,  LATE,    OPEN,    FAILED),
    TIMED_OUT: (LATE,      LATE,     LATE,  LATE,     LATE,  LATE,    OPEN,    TIMED_OUT),
    CANCELLED: (CANCELLED, LATE,     LATE,  LATE,     LATE,  LATE,    OPEN,    CANCELLED),
}  # fmt: skip
VIEWS = {
    AWAITED: SteeringView(replace(snapshot(0), batch=batch(AWAITED), details=None), NOW),
    OPEN: SteeringView(snapshot(4, ["a"], ["f"]), NOW),
    READY: SteeringView(snapshot(4, ["a", "b", "c", "d"], status=READY), NOW),
    FAILED: SteeringView(snapshot(4, [], ["f", "g", "h", "i"], status=FAILED), NOW),
    TIMED_OUT: SteeringView(snapshot(4, ["a"], ["f"], status=TIMED_OUT), NOW),
    CANCELLED: SteeringView(snapshot(4, ["a"], ["f"], status=CANCELLED), NOW),
}
CELLS = [
    (status, command, cell)
    for status, row in AFTERWARDS.items()
    for command, cell in zip(COMMANDS, row, strict=True)
]


def judged(command: Command, view: SteeringView) -> BatchChange | Refusal:
    return steer(command, view, "command-id")


def applied(command: Command, view: SteeringView = VIEWS[OPEN]) -> BatchChange:
    change = judged(command, view)
    assert isinstance(change, BatchChange)
    return change


def test_the_table_has_every_command_in_every_status() -> None:
    assert [command.name for command in COMMANDS] == list(CommandName)
    assert set(AFTERWARDS) == set(VIEWS) == set(Status)


@pytest.mark.parametrize(("status", "command", "cell"), CELLS)
def test_a_command_does_in_a_status_what_the_table_says(
    status: Status, command: Command, cell: Status | Refusal
) -> None:
    change = judged(command, VIEWS[status])
    assert (change if isinstance(change, Refusal) else change.after.status) == cell


@pytest.mark.parametrize(("status", "command", "cell"), CELLS)
def test_only_a_command_that_changes_something_raises_the_version(
    status: Status, command: Command, cell: Status | Refusal
) -> None:
    change = judged(command, VIEWS[status])
    if isinstance(change, Refusal):
        return
    is_changed = not (isinstance(command, Announce) or (isinstance(command, Cancel) and status is cell))
    assert change.after.version - change.before.version == is_changed


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("status", Status)
def test_a_version_and_an_epoch_that_are_not_there_any_more_come_first(
    command: Command, status: Status
) -> None:
    view = VIEWS[status]
    assert judged(command, replace(view, if_version=7, if_epoch=7)) is Refusal.VERSION_CHANGED
    assert judged(command, replace(view, if_version=1, if_epoch=7)) is Refusal.WRONG_EPOCH


def test_cancelling_an_awaited_batch_decides_what_is_parked() -> None:
    view = replace(VIEWS[AWAITED], parked=[content("a"), failure("f")])
    cancelled = Reason.BATCH_CANCELLED
    assert [outcome for _, outcome in applied(Cancel(), view).decided] == [Excess(cancelled), Late(cancelled)]


def test_a_batch_that_was_cancelled_before_it_was_registered_is_never_opened() -> None:
    view = replace(VIEWS[AWAITED])
    cancelled = replace(view.snapshot, batch=applied(Cancel(), view).after)
    assert judged(Reopen(60), replace(view, snapshot=cancelled)) is Refusal.NOT_REGISTERED


def test_closing_withdraws_the_free_slots_and_says_so() -> None:
    change = applied(Close())
    assert (change.after.expected_count, change.ended_by) == (2, EndedBy.CLOSE)
    assert change.withdrawn == ("essay-0002", "essay-0003")
    failed = applied(Close(), replace(VIEWS[OPEN], snapshot=snapshot(3, [], ["f"])))
    assert failed.after.status is FAILED


def test_a_batch_in_which_nothing_is_used_is_never_left_empty() -> None:
    empty = replace(VIEWS[OPEN], snapshot=snapshot(2))
    assert judged(Close(), empty) is Refusal.EMPTY
    assert judged(WithdrawSlots(count=2), empty) is Refusal.EMPTY
    assert judged(WithdrawSlots(("essay-0000", "essay-0001")), empty) is Refusal.EMPTY


def test_a_count_withdraws_the_last_free_slots_in_byte_order() -> None:
    mixed = replace(snapshot(4, ["a"]), available=("a1", "B1", "b1"))
    change = applied(WithdrawSlots(count=2), replace(VIEWS[OPEN], snapshot=mixed))
    assert set(change.withdrawn) == {"a1", "b1"}


def test_slots_are_withdrawn_all_or_none() -> None:
    view = VIEWS[OPEN]
    assert judged(WithdrawSlots(("essay-0002", "essay-0000")), view) is Refusal.SLOT_IN_USE
    assert judged(WithdrawSlots(("essay-0002", "essay-0001")), view) is Refusal.SLOT_IN_USE
    assert judged(WithdrawSlots(("essay-0002", "none")), view) is Refusal.SLOT_UNKNOWN
    assert judged(WithdrawSlots(count=3), view) is Refusal.SLOT_IN_USE
    full = applied(WithdrawSlots(("essay-0002", "essay-0003")), view)
    assert (full.after.status, full.ended_by) == (READY, None)


def test_slots_are_added_up_to_2000_with_the_withdrawn_ones() -> None:
    withdrawn = replace(VIEWS[OPEN].snapshot, withdrawn=("w",))
    view = replace(VIEWS[OPEN], snapshot=withdrawn)
    assert applied(AddSlots(("w", "x")), view).after.expected_count == 6
    for used in ("essay-0000", "essay-0001", "essay-0002"):
        assert judged(AddSlots((used,)), view) is Refusal.SLOT_EXISTS
    fits, more = (tuple(f"n{number}" for number in range(count)) for count in (1_995, 1_996))
    assert applied(AddSlots(fits), view).after.expected_count == 1_999
    assert judged(AddSlots(more), view) is Refusal.TOO_MANY_SLOTS


def test_a_deadline_lies_after_now_and_within_two_weeks() -> None:
    assert judged(ChangeDeadline(NOW), VIEWS[OPEN]) is Refusal.DEADLINE_PAST
    latest = NOW + timedelta(days=14)
    assert applied(ChangeDeadline(latest)).after.deadline == latest
    assert judged(ChangeDeadline(latest + timedelta(seconds=1)), VIEWS[OPEN]) is Refusal.DEADLINE_TOO_FAR


@pytest.mark.parametrize(("identity", "counts"), [("content:a", (0, 1)), ("upload:f", (1, 0))])
def test_a_released_slot_is_free_and_its_holder_superseded(identity: str, counts: tuple[int, int]) -> None:
    change = applied(ReleaseSlot(identity))
    assert (change.after.assigned_count, change.after.failed_count) == counts
    [released] = change.superseded
    assert (released.identity, released.by_command) == (identity, "command-id")
    assert judged(ReleaseSlot("content:other"), VIEWS[OPEN]) is Refusal.NOT_BOUND


def test_reopening_begins_the_next_epoch_with_its_own_deadline() -> None:
    after = applied(Reopen(60, ("more",)), VIEWS[TIMED_OUT]).after
    assert (after.epoch, after.deadline) == (2, NOW + timedelta(seconds=60))
    assert (after.expected_count, after.assigned_count, after.failed_count) == (5, 1, 0)


def test_reopening_frees_the_slots_of_failures() -> None:
    change = applied(Reopen(60), VIEWS[TIMED_OUT])
    assert change.superseded == (SupersededArrival("upload:f", "essay-0001", by_command="command-id"),)


@pytest.mark.parametrize(("epoch", "is_there"), [(None, True), (1, True), (2, True), (3, False)])
def test_every_ended_epoch_can_be_announced(epoch: int | None, *, is_there: bool) -> None:
    second = replace(VIEWS[READY].snapshot, batch=replace(VIEWS[READY].snapshot.batch, epoch=2))
    found = judged(Announce(epoch), replace(VIEWS[READY], snapshot=second))
    assert isinstance(found, BatchChange) is is_there
