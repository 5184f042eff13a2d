"""What an outcome means for a redelivery, for its slot, and in logs: one row per outcome."""

from __future__ import annotations

import pytest

from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    Late,
    Outcome,
    Parked,
    Reason,
    as_duplicate,
    name_of,
    slot_of,
)

EXCESS, LATE = Excess(Reason.NO_AVAILABLE_SLOT), Late(Reason.BATCH_TIMED_OUT)

OUTCOMES = [
    # outcome                    name         slot   answer to the same arrival when it comes again
    (Assigned("s1"),             "assigned",  "s1",  Duplicate(Assigned("s1"))),
    (Failed("s1"),               "failed",    "s1",  Duplicate(Failed("s1"))),
    (EXCESS,                     "excess",    None,  Duplicate(EXCESS)),
    (LATE,                       "late",      None,  Duplicate(LATE)),
    (Parked(),                   "parked",    None,  Parked()),
    (Duplicate(Assigned("s1")),  "duplicate", "s1",  Duplicate(Assigned("s1"))),
    (Duplicate(Failed("s1")),    "duplicate", "s1",  Duplicate(Failed("s1"))),
    (Duplicate(EXCESS),          "duplicate", None,  Duplicate(EXCESS)),
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "name", "slot", "again"), OUTCOMES)
def test_every_outcome_has_a_name_a_slot_or_none_and_an_answer_for_redeliveries(
    outcome: Outcome, name: str, slot: str | None, again: Outcome
) -> None:
    assert (name_of(outcome), slot_of(outcome), as_duplicate(outcome)) == (name, slot, again)
