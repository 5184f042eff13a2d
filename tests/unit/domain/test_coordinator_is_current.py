"""When Redis must be refreshed after a decision: one row per rule of `coordinator_is_current`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from els_core.domain.batches import Status
from els_core.domain.decisions import BatchChange, coordinator_is_current
from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    Late,
    Outcome,
    Parked,
    Proposal,
    ProposalKind,
    Reason,
)
from els_core.domain.superseding import SupersededArrival
from tests.factories import batch

AWAITED, OPEN, READY, FAILED, TIMED_OUT, CANCELLED = Status
EXCESS = Excess(Reason.NO_AVAILABLE_SLOT)
LATE = Late(Reason.BATCH_TIMED_OUT)
S1 = Assigned("s1")


def proposal(text: str) -> Proposal:
    """Read a proposal from the reply of the script, such as "assigned s1"."""
    word, _, essay_id = text.partition(" ")
    return Proposal(ProposalKind(word), essay_id or None)


CURRENT = [
    # rule                                         before     after      outcome        proposal
    ("an awaited batch is unknown to Redis",       AWAITED,   AWAITED,   Parked(),      "unknown"),
    ("the proposed slot was assigned",             OPEN,      OPEN,      S1,            "assigned s1"),
    ("the failure uses the proposed slot",         OPEN,      OPEN,      Failed("s1"),  "failed s1"),
    ("Redis knew the duplicate and its slot",      OPEN,      OPEN,      Duplicate(S1), "duplicate s1"),
    ("a ready batch is full for Redis",            READY,     READY,     EXCESS,        "full"),
    ("also for a duplicate",                       READY,     READY,     Duplicate(S1), "full"),
    ("a failed batch is full for Redis",           FAILED,    FAILED,    EXCESS,        "full"),
    ("a timed-out batch is full for Redis",        TIMED_OUT, TIMED_OUT, LATE,          "full"),
    ("a cancelled batch is full for Redis",        CANCELLED, CANCELLED, LATE,          "full"),
]  # fmt: skip

OUTDATED = [
    # rule                                         before     after      outcome        proposal
    ("the batch was completed",                    OPEN,      READY,     S1,            "assigned s1"),
    ("the batch was cancelled",                    OPEN,      CANCELLED, LATE,          "full"),
    ("the batch timed out",                        OPEN,      TIMED_OUT, LATE,          "full"),
    ("Redis did not know the open batch",          OPEN,      OPEN,      S1,            "unknown"),
    ("the proposed slot was taken",                OPEN,      OPEN,      S1,            "assigned s2"),
    ("the duplicate has another slot",             OPEN,      OPEN,      Duplicate(S1), "duplicate s2"),
    ("Redis proposed a second slot",               OPEN,      OPEN,      Duplicate(S1), "assigned s2"),
    ("Redis was full, but a slot was free",        OPEN,      OPEN,      S1,            "full"),
    ("Redis knows a batch that is not registered", AWAITED,   AWAITED,   Parked(),      "assigned s1"),
    ("Redis does not know the closed batch",       READY,     READY,     EXCESS,        "unknown"),
    ("Redis has slots of the ready batch",         READY,     READY,     EXCESS,        "assigned s1"),
    ("Redis has slots of the timed-out batch",     TIMED_OUT, TIMED_OUT, LATE,          "failed s1"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "after", "outcome", "proposed"), CURRENT)
def test_redis_is_current_when_its_proposal_matches_the_decision(
    rule: str, before: Status, after: Status, outcome: Outcome, proposed: str
) -> None:
    change = BatchChange(batch(before), batch(after))
    assert coordinator_is_current(change, outcome, proposal(proposed)), rule


@pytest.mark.fault(29)
@pytest.mark.parametrize(("version", "is_current"), [(None, True), (6, True), (7, True), (8, False)])
def test_a_version_of_redis_that_is_greater_than_that_of_the_locked_row_is_never_current(
    version: int | None, *, is_current: bool
) -> None:
    change = BatchChange(replace(batch(OPEN), version=7), replace(batch(OPEN), version=8))
    proposed = replace(proposal("assigned s1"), version=version)
    assert coordinator_is_current(change, S1, proposed) is is_current


def test_a_batch_that_was_cancelled_before_it_was_registered_is_unknown_to_redis() -> None:
    cancelled = replace(batch(AWAITED), status=CANCELLED)
    assert coordinator_is_current(BatchChange(cancelled, cancelled), EXCESS, proposal("unknown"))


def test_redis_is_refreshed_when_a_slot_was_freed() -> None:
    change = BatchChange(batch(), batch(), (), (SupersededArrival("content:a", "s2", "content:c"),))
    assert not coordinator_is_current(change, S1, proposal("assigned s1"))


@pytest.mark.parametrize(("rule", "before", "after", "outcome", "proposed"), OUTDATED)
def test_redis_is_refreshed_when_its_proposal_differs_or_the_status_changed(
    rule: str, before: Status, after: Status, outcome: Outcome, proposed: str
) -> None:
    change = BatchChange(batch(before), batch(after))
    assert not coordinator_is_current(change, outcome, proposal(proposed)), rule
