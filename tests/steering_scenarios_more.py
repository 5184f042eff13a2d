"""More of what people do with a batch: to end it, to resize it, to announce it again, to try it first.

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
from tests.steering_walkthrough import c

if TYPE_CHECKING:
    from els_core.domain.commands import Command
    from tests.steering_walkthrough import Walkthrough

HOUR = 3_600
REOPEN = Reopen(HOUR)


def closing_withdraws_the_free_slots(s: Walkthrough) -> None:
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


def an_empty_batch_is_cancelled_not_closed(s: Walkthrough) -> None:
    """23: {2} nothing used | close; withdraw 2; cancel."""
    s.register(2)
    assert s.steer(Close()).refusal is Refusal.EMPTY
    assert s.steer(WithdrawSlots(count=2)).refusal is Refusal.EMPTY
    assert s.steer(Cancel()).refusal is None
    assert s.ends() == ["BatchCancelled 1 cancel"]


def withdrawing_the_last_free_slot_completes_the_batch(s: Walkthrough) -> None:
    """24: {3} c1, c2 | withdraw count 1."""
    s.register(3)
    s.arrive(c("c1"), c("c2"))
    [free] = s.stage.snapshot().available
    answer = s.steer(WithdrawSlots(count=1))
    assert (answer.status, answer.withdrawn) == (Status.READY, (free,))
    assert s.ends() == ["BatchEssaysReady 1 full"]


def a_withdrawn_slot_can_be_added_again(s: Walkthrough) -> None:
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


def a_batch_that_is_cancelled_first_is_never_registered(s: Walkthrough) -> None:
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


def cancelling_decides_all_that_is_parked(s: Walkthrough) -> None:
    """27: parked | cancel."""
    s.arrive(*(c(f"c{number}") for number in range(10)), c("f1"), c("f2"))
    s.steer(Cancel())
    names = " ".join(f"c{number}" for number in range(10))
    assert s.state() == f"cancelled excess {{{names}}} late {{f1 f2}}"


def only_cancel_is_for_an_awaited_batch(s: Walkthrough) -> None:
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


def a_refusal_is_for_ever(s: Walkthrough) -> None:
    """30: refused NOT_REGISTERED, then registered, the same id again; a new id is judged."""
    first = s.answer(AddSlots(("s9",)), "the-same")
    s.register(2)
    again = s.answer(AddSlots(("s9",)), "the-same")
    assert again.answer == first.answer  # type: ignore[union-attr]
    assert s.steer(AddSlots(("s9",))).refusal is None


def an_id_is_for_one_command(s: Walkthrough) -> None:
    """31: same id, other arguments."""
    s.register(2)
    s.answer(AddSlots(("s8",)), "the-same")
    events = len(s.stage.messages())
    assert s.answer(AddSlots(("s9",)), "the-same") == CommandIdReused()
    assert len(s.stage.snapshot().available) == 3
    assert len(s.stage.messages()) == events


def the_id_of_a_command_is_no_event_id(s: Walkthrough) -> None:
    """32: a command whose id is the name of an event, on a batch that ends later."""
    s.register(1)
    s.answer(AddSlots(("s9",)), "BatchEssaysReady")
    s.arrive(c("c1"), c("c2"))
    assert s.ends() == ["BatchEssaysReady 1 full"]


def a_deadline_can_be_moved_within_two_weeks(s: Walkthrough) -> None:
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


def an_ended_epoch_can_be_announced_again(s: Walkthrough) -> None:
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


def a_dry_run_writes_nothing(s: Walkthrough) -> None:
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


def a_command_may_say_what_it_expects(s: Walkthrough) -> None:
    """`if_version` and `if_epoch` are judged after the deadline."""
    s.register(2)
    version = s.stage.snapshot().batch.version
    assert s.steer(Cancel(), if_version=version + 1).refusal is Refusal.VERSION_CHANGED
    assert s.steer(Cancel(), if_epoch=2).refusal is Refusal.WRONG_EPOCH
    assert s.steer(Cancel(), if_version=version, if_epoch=1).refusal is None


def cancelling_keeps_what_came_and_refuses_the_rest(s: Walkthrough) -> None:
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


SCENARIOS = {
    name: told
    for name, told in vars().copy().items()
    if isinstance(told, FunctionType) and told.__module__ == __name__ and not name.startswith("_")
}
