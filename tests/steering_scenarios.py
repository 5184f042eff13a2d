"""What people do with a batch, and what becomes of it: the scenarios of the design, by their numbers.

Slots in braces; `c4>c1` is c4 that supersedes c1; `|` is another invocation, `+` the same call.
"""

from __future__ import annotations

from datetime import timedelta
from types import FunctionType
from typing import TYPE_CHECKING

from els_core.application.commands import Door
from els_core.application.steer_batch import BatchNotFound, CommandIdReused
from els_core.domain.batches import Status
from els_core.domain.commands import (
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
from tests.factories import NOW
from tests.steering_story import c, identity

if TYPE_CHECKING:
    from els_core.domain.commands import Command
    from tests.steering_story import Story

HOUR = 3_600
REOPEN = Reopen(HOUR)


def reopening_with_a_slot_more_takes_the_excess_in(s: Story) -> None:
    """1: {2} c1 | c2 | c3 | reopen, add s9."""
    s.register(2)
    for name in ("c1", "c2", "c3"):
        s.arrive(c(name))
    assert s.state() == "ready {c1 c2} excess {c3}"
    answer = s.steer(Reopen(HOUR, ("s9",)), if_epoch=1)
    assert (answer.refusal, answer.status, answer.taken_in, answer.epoch) == (None, Status.READY, 1, 2)
    assert s.state() == "ready {c1 c2 c3}"
    assert s.ends() == ["BatchEssaysReady 1 full", "BatchEssaysReady 2 full"]
    [reopened] = s.events("BatchReopened")
    assert (reopened["epoch"], reopened["taken_in"]) == (2, 1)


def reopening_a_full_batch_waits_for_nothing(s: Story) -> None:
    """2: {2} c1 | c2 | reopen."""
    s.register(2)
    s.arrive(c("c1"), c("c2"))
    version = s.stage.snapshot().batch.version
    assert s.steer(REOPEN).refusal is Refusal.NOTHING_TO_WAIT_FOR
    assert (s.state(), s.stage.snapshot().batch.version) == ("ready {c1 c2}", version)


def reopening_an_overdue_batch_ends_it_first(s: Story) -> None:
    """3: {2} c1 | the deadline passes, no sweep | reopen."""
    s.register(2)
    s.arrive(c("c1"))
    s.stage.pass_the_deadline()
    answer = s.steer(REOPEN, if_epoch=1)
    assert (answer.refusal, answer.status, answer.epoch) == (None, Status.OPEN, 2)
    [ended] = s.events("BatchReadinessTimeout")
    assert (ended["epoch"], len(ended["missing_essay_ids"])) == (1, 1)
    assert s.state() == "open {c1}"


def an_overdue_batch_is_closed_though_the_command_is_refused(s: Story) -> None:
    """4: as 3, but cancel or change_deadline."""
    s.register(2)
    s.arrive(c("c1"))
    s.stage.pass_the_deadline()
    assert s.steer(Cancel()).refusal is Refusal.TOO_LATE
    later = s.stage.snapshot().batch.deadline
    assert later is not None
    assert s.steer(ChangeDeadline(later + timedelta(days=1))).refusal is Refusal.TOO_LATE
    assert s.ends() == ["BatchReadinessTimeout 1 deadline"]
    assert s.state() == "timed_out {c1}"


def each_epoch_has_its_end_and_names_the_one_before(s: Story) -> None:
    """5: timed out | reopen | timed out | reopen | timed out."""
    s.register(2)
    for epoch in (1, 2, 3):
        s.stage.pass_the_deadline()
        s.stage.expire()
        if epoch < 3:
            assert s.steer(REOPEN, if_epoch=epoch).refusal is None
    ends = {one.event_id: one for one in s.stage.messages() if one.is_final}
    told = s.events("BatchReadinessTimeout")
    assert [data["epoch"] for data in told] == [1, 2, 3]
    assert [data["previous_event_id"] for data in told] == [None, *map(str, list(ends)[:2])]


def only_one_of_two_reopenings_is_applied(s: Story) -> None:
    """6: two reopen(if_epoch 1), two ids."""
    s.register(2)
    s.stage.pass_the_deadline()
    assert s.steer(REOPEN, if_epoch=1).refusal is None
    assert s.steer(REOPEN, if_epoch=1).refusal is Refusal.WRONG_EPOCH


def reopening_frees_the_slots_of_failures_for_good(s: Story) -> None:
    """7: {2} f1 | f2 → failed | reopen | f1 again."""
    s.register(2)
    s.arrive(c("f1"))
    s.arrive(c("f2"))
    assert s.state() == "failed failed {f1 f2}"
    s.steer(REOPEN, if_epoch=1)
    assert s.arrive(c("f1")) == ["duplicate"]
    assert s.state() == "open superseded {f1 f2}"
    assert len(s.stage.snapshot().available) == 2


def a_late_failure_stays_late_after_reopening(s: Story) -> None:
    """8: {2} timed out with c1 | late f1 | reopen."""
    s.register(2)
    s.arrive(c("c1"))
    s.stage.pass_the_deadline()
    assert s.arrive(c("f1")) == ["late"]
    s.steer(REOPEN, if_epoch=1)
    assert s.state() == "open {c1} late {f1}"
    assert len(s.stage.snapshot().available) == 1


def what_is_superseded_supersedes_in_turn_at_the_reopening(s: Story) -> None:
    """11: {2} c5>c4 | c1 | c4>c1 | c2 | reopen."""
    s.register(2)
    s.arrive(c("c5", "c4"))
    s.arrive(c("c1"))
    assert s.arrive(c("c4", "c1")) == ["superseded"]
    assert s.arrive(c("c2")) == ["excess"]
    assert s.state() == "ready {c1 c5} excess {c2} superseded {c4}"
    s.steer(REOPEN, if_epoch=1)
    assert s.state() == "ready {c2 c5} superseded {c1 c4}"
    assert s.ends() == ["BatchEssaysReady 1 full", "BatchEssaysReady 2 full"]


def a_replacement_after_the_end_swaps_at_the_reopening(s: Story) -> None:
    """12: {2} c1 | c2 | c4>c1 | reopen."""
    s.register(2)
    s.arrive(c("c1"))
    s.arrive(c("c2"))
    assert s.arrive(c("c4", "c1")) == ["excess"]
    assert s.state() == "ready {c1 c2} excess {c4}"
    held = {slot.text_storage_id: slot.essay_id for slot in s.stage.snapshot().assigned}
    s.steer(REOPEN, if_epoch=1)
    assert s.state() == "ready {c2 c4} superseded {c1}"
    [released] = s.events("EssaySlotsReleased")
    assert released["released"] == [{"essay_id": held["c1"], "text_storage_id": "c1"}]
    slots = {slot.text_storage_id: slot.essay_id for slot in s.stage.snapshot().assigned}
    assert slots["c4"] == held["c1"]


def what_is_superseded_in_its_own_call_is_never_announced(s: Story) -> None:
    """13: {2} c1 + c2 + c4>c1."""
    s.register(2)
    s.arrive(c("c1"), c("c2"), c("c4", "c1"))
    assert s.state() == "ready {c2 c4} superseded {c1}"
    assigned = [one for data in s.events("EssaySlotsAssigned") for one in data["assignments"]]
    assert {one["text_storage_id"] for one in assigned} == {"c2", "c4"}


def a_failed_replacement_leaves_the_old_one(s: Story) -> None:
    """14: {2} c1 | g4>c1 | c2."""
    s.register(2)
    s.arrive(c("c1"))
    assert s.arrive(c("g4", "c1")) == ["late"]
    s.arrive(c("c2"))
    assert s.state() == "ready {c1 c2} late {g4}"


def a_replaced_failed_replacement_replaces_in_turn(s: Story) -> None:
    """15: {2} c1 | g4>c1 | c7>g4."""
    s.register(2)
    s.arrive(c("c1"))
    [slot] = s.stage.snapshot().assigned
    s.arrive(c("g4", "c1"))
    s.arrive(c("c7", "g4"))
    assert s.state() == "open {c7} superseded {c1 g4}"
    [now] = s.stage.snapshot().assigned
    assert now.essay_id == slot.essay_id


def a_cycle_leaves_none(s: Story) -> None:
    """16: {2} x1>x2 | x2>x1."""
    s.register(2)
    s.arrive(c("x1", "x2"))
    assert s.arrive(c("x2", "x1")) == ["superseded"]
    assert s.state() == "open superseded {x1 x2}"
    assert len(s.stage.snapshot().available) == 2


def the_second_that_replaces_the_same_needs_a_slot_of_its_own(s: Story) -> None:
    """17: {3} c4>c1 | d4>c1 | c1."""
    s.register(3)
    s.arrive(c("c4", "c1"))
    s.arrive(c("d4", "c1"))
    assert s.arrive(c("c1")) == ["superseded"]
    assert s.state() == "open {c4 d4} superseded {c1}"


def an_excess_content_that_is_replaced_is_excess_no_longer(s: Story) -> None:
    """18: c4>c1 where c1 is excess, released, or parked."""
    s.register(1)
    s.arrive(c("c2"))
    assert s.arrive(c("c1")) == ["excess"]
    s.arrive(c("c4", "c1"))
    assert s.state() == "ready {c2} excess {c1 c4}"
    s.steer(Reopen(HOUR, ("s8", "s9")), if_epoch=1)
    assert s.state() == "open {c2 c4} superseded {c1}"
    s.steer(ReleaseSlot("content:c4"))
    s.arrive(c("c5", "c4"))
    assert s.state() == "open {c2 c5} superseded {c1 c4}"


def a_released_content_never_has_a_slot_again(s: Story) -> None:
    """19: {2} c1 | release c1 | c1 again | c2."""
    s.register(2)
    s.arrive(c("c1"))
    answer = s.steer(ReleaseSlot("content:c1"))
    assert [slot.text_storage_id for slot in answer.released] == ["c1"]
    assert s.arrive(c("c1")) == ["duplicate"]
    s.arrive(c("c2"))
    assert s.state() == "open {c2} superseded {c1}"
    [released] = s.events("EssaySlotsReleased")
    first = next(data for data in s.events("EssaySlotsAssigned") if _names(data) == ["c1"])
    assert released["version"] > first["version"]


def only_what_holds_a_slot_can_be_released(s: Story) -> None:
    """20: release of a late failure, an unknown one; and of a failure that has a slot."""
    s.register(2)
    s.arrive(c("g4", "c1"))
    s.arrive(c("f1"))
    for name in ("g4", "c9", "f9"):
        assert s.steer(ReleaseSlot(identity(name))).refusal is Refusal.NOT_BOUND
    assert s.steer(ReleaseSlot(identity("f1"))).refusal is None
    assert s.state() == "open late {g4} superseded {f1}"


def closing_withdraws_the_free_slots(s: Story) -> None:
    """22: {25} 20 used | close."""
    s.register(25)
    s.arrive(*(c(f"c{number}") for number in range(20)))
    answer = s.steer(Close())
    assert (answer.refusal, answer.status, len(answer.withdrawn)) == (None, Status.READY, 5)
    [ready] = s.events("BatchEssaysReady")
    assert (ready["expected_count"], ready["ended_by"], len(ready["withdrawn_essay_ids"])) == (20, "close", 5)
    assert s.arrive(c("c20")) == ["excess"]
    [excess] = s.events("ExcessContentProvisioned")
    assert excess["reason"] == "NO_AVAILABLE_SLOT"


def an_empty_batch_is_cancelled_not_closed(s: Story) -> None:
    """23: {2} nothing used | close; withdraw 2; cancel."""
    s.register(2)
    assert s.steer(Close()).refusal is Refusal.EMPTY
    assert s.steer(WithdrawSlots(count=2)).refusal is Refusal.EMPTY
    assert s.steer(Cancel()).refusal is None
    assert s.ends() == ["BatchCancelled 1 cancel"]


def withdrawing_the_last_free_slot_completes_the_batch(s: Story) -> None:
    """24: {3} c1, c2 | withdraw count 1."""
    s.register(3)
    s.arrive(c("c1"), c("c2"))
    [free] = s.stage.snapshot().available
    answer = s.steer(WithdrawSlots(count=1))
    assert (answer.status, answer.withdrawn) == (Status.READY, (free,))
    assert s.ends() == ["BatchEssaysReady 1 full"]


def a_withdrawn_slot_can_be_added_again(s: Story) -> None:
    """25: withdraw s3 | add s3; 2 000 rows are the most."""
    s.register(3)
    s.steer(WithdrawSlots(("essay-0002",)))
    assert s.stage.snapshot().withdrawn == ("essay-0002",)
    s.steer(AddSlots(("essay-0002",)))
    assert len(s.stage.snapshot().available) == 3
    assert s.steer(AddSlots(("essay-0002",))).refusal is Refusal.SLOT_EXISTS
    many = tuple(f"more-{number}" for number in range(1_998))
    assert s.steer(AddSlots(many)).refusal is Refusal.TOO_MANY_SLOTS
    assert s.steer(WithdrawSlots(("unknown",))).refusal is Refusal.SLOT_UNKNOWN
    s.arrive(c("c1"))
    [used] = s.stage.snapshot().assigned
    assert s.steer(WithdrawSlots((used.essay_id,))).refusal is Refusal.SLOT_IN_USE


def a_batch_that_is_cancelled_first_is_never_registered(s: Story) -> None:
    """26: cancel before anything | c1 | registration twice."""
    assert s.steer(Cancel()).status is Status.CANCELLED
    assert s.arrive(c("c1")) == ["excess"]
    s.register(2)
    s.register(2)
    assert s.state() == "cancelled excess {c1}"
    [cancelled] = s.events("BatchCancelled")
    assert (cancelled["expected_count"], cancelled["assigned_count"], cancelled["deadline"]) == (0, 0, None)
    [excess] = s.events("ExcessContentProvisioned")
    assert excess["reason"] == "BATCH_CANCELLED"
    [rejected] = s.events("BatchRegistrationRejected")
    assert rejected["reason"] == "BATCH_CANCELLED"
    assert s.steer(REOPEN).refusal is Refusal.NOT_REGISTERED
    assert s.steer(Cancel()).refusal is None


def cancelling_decides_all_that_is_parked(s: Story) -> None:
    """27: parked | cancel."""
    s.arrive(*(c(f"c{number}") for number in range(10)), c("f1"), c("f2"))
    s.steer(Cancel())
    names = " ".join(f"c{number}" for number in range(10))
    assert s.state() == f"cancelled excess {{{names}}} late {{f1 f2}}"


def only_cancel_is_for_an_awaited_batch(s: Story) -> None:
    """29: any command but cancel, batch unknown: from the bus NOT_REGISTERED, at the API not found."""
    moment = ChangeDeadline(NOW)
    commands: list[Command] = [
        moment,
        Close(),
        WithdrawSlots(count=1),
        AddSlots(("s",)),
        ReleaseSlot("content:c"),
        REOPEN,
    ]
    for number, command in enumerate([*commands, Announce(), Cancel()]):
        assert s.answer(command, f"api-{number}", door=Door.API) == BatchNotFound()
    for command in [*commands, Announce()]:
        assert s.steer(command).refusal is Refusal.NOT_REGISTERED
    assert s.state() == "awaited"
    s.register(2)
    kept = s.answer(Cancel(), "api-7", door=Door.API)
    assert kept != BatchNotFound()


def a_refusal_is_for_ever(s: Story) -> None:
    """30: refused NOT_REGISTERED, then registered, the same id again; a new id is judged."""
    first = s.answer(AddSlots(("s9",)), "the-same")
    s.register(2)
    again = s.answer(AddSlots(("s9",)), "the-same")
    assert again.answer == first.answer  # type: ignore[union-attr]
    assert s.steer(AddSlots(("s9",))).refusal is None


def an_id_is_for_one_command(s: Story) -> None:
    """31: same id, other arguments."""
    s.register(2)
    s.answer(AddSlots(("s8",)), "the-same")
    events = len(s.stage.messages())
    assert s.answer(AddSlots(("s9",)), "the-same") == CommandIdReused()
    assert len(s.stage.snapshot().available) == 3
    assert len(s.stage.messages()) == events


def the_id_of_a_command_is_no_event_id(s: Story) -> None:
    """32: a command whose id is the name of an event, on a batch that ends later."""
    s.register(1)
    s.answer(AddSlots(("s9",)), "BatchEssaysReady")
    s.arrive(c("c1"), c("c2"))
    assert s.ends() == ["BatchEssaysReady 1 full"]


def a_deadline_can_be_moved_within_two_weeks(s: Story) -> None:
    """34: change_deadline earlier and later."""
    s.register(2)
    deadline = s.stage.snapshot().batch.deadline
    assert deadline is not None
    earlier, later = deadline - timedelta(minutes=30), deadline + timedelta(hours=5)
    assert s.steer(ChangeDeadline(later)).refusal is None
    assert s.stage.snapshot().batch.deadline == later
    assert s.steer(ChangeDeadline(earlier)).refusal is None
    past, far = deadline - timedelta(hours=2), deadline + timedelta(days=15)
    assert s.steer(ChangeDeadline(past)).refusal is Refusal.DEADLINE_PAST
    assert s.steer(ChangeDeadline(far)).refusal is Refusal.DEADLINE_TOO_FAR
    assert s.stage.snapshot().batch.deadline == earlier


def an_ended_epoch_can_be_announced_again(s: Story) -> None:
    """38: announce epoch 1 while epoch 2 is open; epoch 2."""
    s.register(1)
    assert s.steer(Announce()).refusal is Refusal.NOTHING_TO_ANNOUNCE
    s.arrive(c("c1"))
    [first] = [one for one in s.stage.messages() if one.is_final]
    s.steer(Reopen(HOUR, ("s9",)), if_epoch=1)
    assert s.steer(Announce(1)).refusal is None
    finals = [one for one in s.stage.messages() if one.is_final]
    assert {(one.event_id, one.detail) for one in finals} == {(first.event_id, first.detail)}
    assert len(finals) == 2
    assert s.steer(Announce(2)).refusal is Refusal.NOTHING_TO_ANNOUNCE


def a_dry_run_writes_nothing(s: Story) -> None:
    """40: dry_run of each command, on an unknown batch too."""
    assert s.answer(Cancel(), "dry", door=Door.API, is_dry_run=True) == BatchNotFound()
    s.register(2)
    s.arrive(c("c1"))
    before, sent = s.stage.snapshot(), len(s.stage.messages())
    for command in (Cancel(), Close(), WithdrawSlots(count=1), AddSlots(("s9",)), ReleaseSlot("content:c1")):
        answer = s.steer(command, is_dry_run=True)
        assert (answer.refusal, answer.version) == (None, before.batch.version + 1)
    assert (s.stage.snapshot(), len(s.stage.messages())) == (before, sent)
    dry = s.answer(Close(), "later", is_dry_run=True)
    assert s.answer(Close(), "later") == dry


def a_command_may_say_what_it_expects(s: Story) -> None:
    """`if_version` and `if_epoch` are judged after the deadline."""
    s.register(2)
    version = s.stage.snapshot().batch.version
    assert s.steer(Cancel(), if_version=version + 1).refusal is Refusal.VERSION_CHANGED
    assert s.steer(Cancel(), if_epoch=2).refusal is Refusal.WRONG_EPOCH
    assert s.steer(Cancel(), if_version=version, if_epoch=1).refusal is None


def cancelling_keeps_what_came_and_refuses_the_rest(s: Story) -> None:
    """An open batch is cancelled: later contents are excess, later failures late."""
    s.register(3)
    s.arrive(c("c1"))
    s.steer(Cancel())
    assert s.arrive(c("c2"), c("f1")) == ["excess", "late"]
    assert s.state() == "cancelled {c1} excess {c2} late {f1}"
    assert s.steer(Cancel()).refusal is None
    assert s.steer(Close()).refusal is Refusal.TOO_LATE
    s.steer(REOPEN, if_epoch=1)
    assert s.state() == "open {c1 c2} late {f1}"
    assert s.ends() == ["BatchCancelled 1 cancel"]


def _names(data: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["text_storage_id"] for one in data["assignments"]]


SCENARIOS = {
    name: told
    for name, told in vars().copy().items()
    if isinstance(told, FunctionType) and told.__module__ == __name__ and not name.startswith("_")
}
