"""What people do with a batch, and what becomes of it: the scenarios of the design, by their numbers.

Slots in braces; `c4>c1` is c4 that supersedes c1; `|` is another invocation, `+` the same call.
"""

from __future__ import annotations

from datetime import timedelta
from types import FunctionType
from typing import TYPE_CHECKING

from els_core.domain.batches import Status
from els_core.domain.commands import (
    Cancel,
    ChangeDeadline,
    Refusal,
    ReleaseSlot,
    Reopen,
)
from tests import steering_scenarios_more as more
from tests.steering_walkthrough import c, identity

if TYPE_CHECKING:
    from tests.steering_walkthrough import Walkthrough

HOUR = 3_600
REOPEN = Reopen(HOUR)


def reopening_with_a_slot_more_takes_the_excess_in(s: Walkthrough) -> None:
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


def reopening_a_full_batch_waits_for_nothing(s: Walkthrough) -> None:
    """2: {2} c1 | c2 | reopen."""
    s.register(2)
    s.arrive(c("c1"), c("c2"))
    version = s.stage.snapshot().batch.version
    assert s.steer(REOPEN).refusal is Refusal.NOTHING_TO_WAIT_FOR
    assert (s.state(), s.stage.snapshot().batch.version) == ("ready {c1 c2}", version)


def reopening_an_overdue_batch_ends_it_first(s: Walkthrough) -> None:
    """3: {2} c1 | the deadline passes, no sweep | reopen."""
    s.register(2)
    s.arrive(c("c1"))
    s.stage.pass_the_deadline()
    answer = s.steer(REOPEN, if_epoch=1)
    assert (answer.refusal, answer.status, answer.epoch) == (None, Status.OPEN, 2)
    [ended] = s.events("BatchReadinessTimeout")
    assert (ended["epoch"], len(ended["missing_essay_ids"])) == (1, 1)
    assert s.state() == "open {c1}"


def an_overdue_batch_is_closed_though_the_command_is_refused(s: Walkthrough) -> None:
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


def each_epoch_has_its_end_and_names_the_one_before(s: Walkthrough) -> None:
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


def only_one_of_two_reopenings_is_applied(s: Walkthrough) -> None:
    """6: two reopen(if_epoch 1), two ids."""
    s.register(2)
    s.stage.pass_the_deadline()
    assert s.steer(REOPEN, if_epoch=1).refusal is None
    assert s.steer(REOPEN, if_epoch=1).refusal is Refusal.WRONG_EPOCH


def reopening_frees_the_slots_of_failures_for_good(s: Walkthrough) -> None:
    """7: {2} f1 | f2 → failed | reopen | f1 again."""
    s.register(2)
    s.arrive(c("f1"))
    s.arrive(c("f2"))
    assert s.state() == "failed failed {f1 f2}"
    s.steer(REOPEN, if_epoch=1)
    assert s.arrive(c("f1")) == ["duplicate"]
    assert s.state() == "open superseded {f1 f2}"
    assert len(s.stage.snapshot().available) == 2


def a_late_failure_stays_late_after_reopening(s: Walkthrough) -> None:
    """8: {2} timed out with c1 | late f1 | reopen."""
    s.register(2)
    s.arrive(c("c1"))
    s.stage.pass_the_deadline()
    assert s.arrive(c("f1")) == ["late"]
    s.steer(REOPEN, if_epoch=1)
    assert s.state() == "open {c1} late {f1}"
    assert len(s.stage.snapshot().available) == 1


def what_is_superseded_supersedes_in_turn_at_the_reopening(s: Walkthrough) -> None:
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


def a_replacement_after_the_end_swaps_at_the_reopening(s: Walkthrough) -> None:
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


def what_is_superseded_in_its_own_call_is_never_announced(s: Walkthrough) -> None:
    """13: {2} c1 + c2 + c4>c1."""
    s.register(2)
    s.arrive(c("c1"), c("c2"), c("c4", "c1"))
    assert s.state() == "ready {c2 c4} superseded {c1}"
    assigned = [one for data in s.events("EssaySlotsAssigned") for one in data["assignments"]]
    assert {one["text_storage_id"] for one in assigned} == {"c2", "c4"}


def a_failed_replacement_leaves_the_old_one(s: Walkthrough) -> None:
    """14: {2} c1 | g4>c1 | c2."""
    s.register(2)
    s.arrive(c("c1"))
    assert s.arrive(c("g4", "c1")) == ["late"]
    s.arrive(c("c2"))
    assert s.state() == "ready {c1 c2} late {g4}"


def a_replaced_failed_replacement_replaces_in_turn(s: Walkthrough) -> None:
    """15: {2} c1 | g4>c1 | c7>g4."""
    s.register(2)
    s.arrive(c("c1"))
    [slot] = s.stage.snapshot().assigned
    s.arrive(c("g4", "c1"))
    s.arrive(c("c7", "g4"))
    assert s.state() == "open {c7} superseded {c1 g4}"
    [now] = s.stage.snapshot().assigned
    assert now.essay_id == slot.essay_id


def a_cycle_leaves_none(s: Walkthrough) -> None:
    """16: {2} x1>x2 | x2>x1."""
    s.register(2)
    s.arrive(c("x1", "x2"))
    assert s.arrive(c("x2", "x1")) == ["superseded"]
    assert s.state() == "open superseded {x1 x2}"
    assert len(s.stage.snapshot().available) == 2


def the_second_that_replaces_the_same_needs_a_slot_of_its_own(s: Walkthrough) -> None:
    """17: {3} c4>c1 | d4>c1 | c1."""
    s.register(3)
    s.arrive(c("c4", "c1"))
    s.arrive(c("d4", "c1"))
    assert s.arrive(c("c1")) == ["superseded"]
    assert s.state() == "open {c4 d4} superseded {c1}"


def an_excess_content_that_is_replaced_is_excess_no_longer(s: Walkthrough) -> None:
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


def a_released_content_never_has_a_slot_again(s: Walkthrough) -> None:
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


def only_what_holds_a_slot_can_be_released(s: Walkthrough) -> None:
    """20: release of a late failure, an unknown one; and of a failure that has a slot."""
    s.register(2)
    s.arrive(c("g4", "c1"))
    s.arrive(c("f1"))
    for name in ("g4", "c9", "f9"):
        assert s.steer(ReleaseSlot(identity(name))).refusal is Refusal.NOT_BOUND
    assert s.steer(ReleaseSlot(identity("f1"))).refusal is None
    assert s.state() == "open late {g4} superseded {f1}"


def _names(data: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["text_storage_id"] for one in data["assignments"]]


SCENARIOS = {
    name: told
    for name, told in vars().copy().items()
    if isinstance(told, FunctionType) and told.__module__ == __name__ and not name.startswith("_")
} | more.SCENARIOS
