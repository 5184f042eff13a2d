"""The rules of `decide`, one row per rule, and those of deadlines, completion and stale coordinators."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from els_core.domain.arrivals import key_of
from els_core.domain.batches import Batch, Status
from els_core.domain.decisions import LockedView, complete, decide, expire, time_out
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
)
from tests.factories import NOW, batch, content, failure, first_answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import FinalOutcome, Outcome

C, F = content("c"), failure("f")
BOTH_KINDS: tuple[Arrival, Arrival] = (C, F)
TICK = timedelta(microseconds=1)
AWAITED, OPEN = batch(Status.AWAITED), batch(Status.OPEN)
READY = batch(Status.READY, slots=3, assigned=3)
ALL_FAILED = batch(Status.FAILED, slots=3, failed=3)
CLOSED_LATE = batch(Status.TIMED_OUT)
OVERDUE = batch(Status.OPEN, deadline=NOW)  # the deadline has passed when it is reached
NEARLY_OVERDUE = batch(Status.OPEN, deadline=NOW + TICK)


def decide_together(
    row: Batch,
    arrivals: Sequence[Arrival],
    free: Sequence[str] = (),
    proposed: Sequence[str] = (),
    seen: Mapping[ArrivalKey, FinalOutcome] = MappingProxyType({}),
) -> BatchChange:
    """Decide arrivals at `NOW`; `proposed` is the slot that Redis proposed for each, empty for none."""
    proposals = {
        key_of(arrival): Proposal(ProposalKind.ASSIGNED, slot) if slot else Proposal(ProposalKind.UNKNOWN)
        for arrival, slot in zip(arrivals, proposed, strict=False)
    }
    return decide(row, arrivals, proposals, LockedView(NOW, seen, {row.batch_id: free}))


NONE = ""
EXCESS, LATE = Excess(Reason.NO_AVAILABLE_SLOT), Late(Reason.NO_AVAILABLE_SLOT)
TIMED_OUT_EXCESS, TIMED_OUT_LATE = Excess(Reason.BATCH_TIMED_OUT), Late(Reason.BATCH_TIMED_OUT)

# What becomes of a content, and of a failure, that arrive for the first time.
PARKED = (Parked(), Parked())
SLOT_1 = (Assigned("s1"), Failed("s1"))
SLOT_2 = (Assigned("s2"), Failed("s2"))
NO_SLOT = (EXCESS, LATE)
TOO_LATE = (TIMED_OUT_EXCESS, TIMED_OUT_LATE)
FIRST_DELIVERY = [
    # rule                                      batch           proposed  free slots  outcomes
    ("not registered",                          AWAITED,        NONE,     "",         PARKED),
    ("not registered, although Redis proposes", AWAITED,        "s1",     "",         PARKED),
    ("the proposed slot is free",               OPEN,           "s2",     "s2 s1",    SLOT_2),
    ("the proposed slot is taken: another one", OPEN,           "s9",     "s1",       SLOT_1),
    ("Redis proposes none: any free slot",      OPEN,           NONE,     "s1",       SLOT_1),
    ("no slot is left",                         OPEN,           "s1",     "",         NO_SLOT),
    ("one microsecond before the deadline",     NEARLY_OVERDUE, "s1",     "s1",       SLOT_1),
    ("at the deadline, although one is free",   OVERDUE,        "s1",     "s1",       TOO_LATE),
    ("timed out, although one is free",         CLOSED_LATE,    "s1",     "s1",       TOO_LATE),
    ("ready",                                   READY,          "s1",     "",         NO_SLOT),
    ("all failed",                              ALL_FAILED,     "s1",     "",         NO_SLOT),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "row", "proposed", "free", "outcomes"), FIRST_DELIVERY)
def test_a_new_arrival_gets_the_outcome_of_its_rule(
    rule: str, row: Batch, proposed: str, free: str, outcomes: tuple[Outcome, Outcome]
) -> None:
    for arrival, outcome in zip(BOTH_KINDS, outcomes, strict=True):
        change = decide_together(row, [arrival], free.split(), [proposed])
        assert change.decided == ((arrival, outcome),), rule
        assert change.before == row


C2, F2 = content("c2"), failure("f2")

# What becomes of a content and a failure of an awaited batch that has parked as many as stands there.
BOTH_PARKED = (C, F)
EXCESS_ONCE, LATE_ONCE = ((C, EXCESS),), ((F, LATE),)
PARKING = [
    # rule                                  parked  with these   first answers  outcomes
    ("one is parked as the last",           1_999,  (),          (),            (Parked(), LATE)),
    ("as many as any batch has slots",      2_000,  (),          (),            (EXCESS, LATE)),
    ("what is parked already stays parked", 2_000,  BOTH_PARKED, (),            (Parked(), Parked())),
    ("excess once, then a duplicate",       2_000,  (),          EXCESS_ONCE,   (Duplicate(EXCESS), LATE)),
    ("late once, then a duplicate",         1_999,  (),          LATE_ONCE,     (Parked(), Duplicate(LATE))),
]  # fmt: skip


@pytest.mark.fault(34)
@pytest.mark.parametrize(("rule", "count", "parked", "first", "outcomes"), PARKING)
def test_an_awaited_batch_parks_no_more_arrivals_than_a_batch_has_slots(
    rule: str,
    count: int,
    parked: tuple[Arrival, ...],
    first: tuple[tuple[Arrival, FinalOutcome], ...],
    outcomes: tuple[Outcome, Outcome],
) -> None:
    view = LockedView(NOW, first_answers(*first), {}, set(map(key_of, parked)), {AWAITED.batch_id: count})
    change = decide(AWAITED, BOTH_KINDS, {}, view)
    assert change.decided == tuple(zip(BOTH_KINDS, outcomes, strict=True)), rule


# What is delivered again gets its first answer, whatever has become of the batch and whatever Redis proposes.
REDELIVERY = [
    # rule                                        batch        arrival  first answer
    ("already assigned",                          OPEN,        C,       Assigned("s1")),
    ("already counted as failed",                 OPEN,        F,       Failed("s1")),
    ("assigned before the deadline",              OVERDUE,     C,       Assigned("s1")),
    ("assigned before the batch was ready",       READY,       C,       Assigned("s1")),
    ("failed before the batch had failed",        ALL_FAILED,  F,       Failed("s1")),
    ("excess once",                               READY,       C,       EXCESS),
    ("late once",                                 CLOSED_LATE, F,       TIMED_OUT_LATE),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "row", "arrival", "first"), REDELIVERY)
@pytest.mark.parametrize("proposed", [NONE, "s2"])
def test_a_redelivered_arrival_is_a_duplicate_with_its_first_answer(
    rule: str, row: Batch, arrival: Arrival, first: FinalOutcome, proposed: str
) -> None:
    change = decide_together(row, [arrival], ["s2"], [proposed], first_answers((arrival, first)))
    assert change.decided == ((arrival, Duplicate(first)),), rule


SEEN = first_answers((C, Assigned("s1")), (F, Failed("s2")))
UNSEEN = first_answers()
ONE_LEFT = batch(slots=3, assigned=2)
ONE_LEFT_OF_FAILURES = batch(slots=3, failed=2)

# What becomes of the row of a batch: status, assigned, failed and version. Every row begins at version 1.
BATCH_ROWS = [
    # rule                               batch                 arrivals  seen before  row afterwards
    ("parking raises the version",       AWAITED,              [C],      UNSEEN, (Status.AWAITED, 0, 0, 2)),
    ("assigned and failed are counted",  OPEN,                 [C, F],   UNSEEN, (Status.OPEN, 1, 1, 2)),
    ("duplicates change nothing",        OPEN,                 [C, F],   SEEN,   (Status.OPEN, 0, 0, 1)),
    ("no arrivals change nothing",       OPEN,                 [],       UNSEEN, (Status.OPEN, 0, 0, 1)),
    ("the last content completes",       ONE_LEFT,             [C],      UNSEEN, (Status.READY, 3, 0, 2)),
    ("the last failure completes",       ONE_LEFT,             [F],      UNSEEN, (Status.READY, 2, 1, 2)),
    ("one content makes it ready",       ONE_LEFT_OF_FAILURES, [C],      UNSEEN, (Status.READY, 1, 2, 2)),
    ("only failures make it failed",     ONE_LEFT_OF_FAILURES, [F],      UNSEEN, (Status.FAILED, 0, 3, 2)),
    ("excess is not counted",            ONE_LEFT,             [C, C2],  UNSEEN, (Status.READY, 3, 0, 2)),
    ("late is not counted",              ONE_LEFT,             [F, F2],  UNSEEN, (Status.READY, 2, 1, 2)),
    ("excess of a closed batch",         READY,                [C],      UNSEEN, (Status.READY, 3, 0, 2)),
    ("a due batch is closed",            OVERDUE,              [C],      UNSEEN, (Status.TIMED_OUT, 0, 0, 2)),
    ("a due batch without arrivals",     OVERDUE,              [],       UNSEEN, (Status.TIMED_OUT, 0, 0, 2)),
    ("a due batch with duplicates",      OVERDUE,              [C],      SEEN,   (Status.TIMED_OUT, 0, 0, 2)),
    ("a closed batch stays closed",      CLOSED_LATE,          [],       UNSEEN, (Status.TIMED_OUT, 0, 0, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "row", "arrivals", "seen", "expected"), BATCH_ROWS)
def test_a_decision_changes_the_row_of_its_batch(
    rule: str,
    row: Batch,
    arrivals: Sequence[Arrival],
    seen: Mapping[ArrivalKey, FinalOutcome],
    expected: tuple[Status, int, int, int],
) -> None:
    free = ["s1", "s2", "s3"][row.assigned_count + row.failed_count : row.expected_count]
    after = decide_together(row, arrivals, free, seen=seen).after
    assert (after.status, after.assigned_count, after.failed_count, after.version) == expected, rule


def test_a_slot_is_given_once_although_redis_proposes_it_twice() -> None:
    change = decide_together(OPEN, [C, C2, F], ("s1", "s2", "s3"), ["s1", "s1", "s1"])
    outcomes = [outcome for _, outcome in change.decided]
    assert outcomes[0] == Assigned("s1")
    assert {type(outcome) for outcome in outcomes[1:]} == {Assigned, Failed}
    assert len(set(map(repr, outcomes))) == 3


def test_arrivals_are_decided_in_order_so_the_last_ones_find_no_slot() -> None:
    change = decide_together(batch(slots=1), [C, F, C2], ("s1",))
    assert [outcome for _, outcome in change.decided] == [Assigned("s1"), LATE, EXCESS]


def test_a_change_closes_only_when_the_batch_becomes_terminal_in_it() -> None:
    assert decide_together(ONE_LEFT, [C], ("s3",)).closes
    assert not decide_together(OPEN, [C], ("s3",)).closes
    assert not decide_together(READY, [C]).closes


def test_only_arrivals_that_are_decided_for_the_first_time_are_fresh() -> None:
    change = decide_together(OPEN, [C, F, C2], ("s3",), seen=SEEN)
    assert list(change.fresh()) == [(C2, Assigned("s3"))]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (AWAITED, Status.AWAITED),
        (NEARLY_OVERDUE, Status.OPEN),
        (OVERDUE, Status.TIMED_OUT),
        (batch(Status.READY, deadline=NOW), Status.READY),
        (batch(Status.FAILED, deadline=NOW), Status.FAILED),
        (batch(Status.TIMED_OUT, deadline=NOW), Status.TIMED_OUT),
    ],
)
def test_only_an_open_batch_whose_deadline_has_passed_expires(row: Batch, status: Status) -> None:
    assert expire(row, NOW).status is status


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (AWAITED, Status.AWAITED),
        (batch(slots=2, assigned=1), Status.OPEN),
        (batch(slots=2, assigned=2), Status.READY),
        (batch(slots=2, assigned=1, failed=1), Status.READY),
        (batch(slots=2, failed=2), Status.FAILED),
        (batch(Status.TIMED_OUT, slots=2, assigned=2), Status.TIMED_OUT),
    ],
)
def test_only_an_open_batch_without_free_slots_is_complete(row: Batch, status: Status) -> None:
    assert complete(row).status is status


def test_timing_out_closes_the_batch_and_raises_its_version() -> None:
    change = time_out(OPEN)
    assert (change.after.status, change.after.version, change.closes) == (Status.TIMED_OUT, 2, True)
