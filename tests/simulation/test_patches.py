"""Patches change what every caller runs, are taken back, and quote texts that occur once, in a function."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from els_core.domain.batches import Batch, Status
from els_core.domain.decisions import complete, expire
from els_core.domain.events import SlotsAssigned
from tests.simulation.patches import Patch, applied

DECISIONS = "els_core.domain.decisions"
EVENTS = "els_core.domain.events"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DUE = Batch("b", Status.OPEN, 1, expected_count=1, deadline=NOW)


def test_a_patched_function_is_run_by_every_caller_and_restored_afterwards() -> None:
    with applied([Patch(DECISIONS, "due = batch.status is Status.OPEN and", "due = False and")]):
        assert expire(DUE, NOW) is DUE
    assert expire(DUE, NOW).status is Status.TIMED_OUT


def test_several_patches_of_one_module_are_applied_together() -> None:
    never_due = Patch(DECISIONS, "due = batch.status is Status.OPEN and", "due = False and")
    always_full = Patch(DECISIONS, "or not batch.is_full:", "and not batch.is_full:")
    with applied([never_due, always_full]):
        assert expire(DUE, NOW) is DUE
        assert complete(DUE).status is Status.FAILED


def test_further_lines_are_indented_like_the_old_one() -> None:
    with applied([Patch(DECISIONS, "due = batch.status", "if batch:\n    return batch\ndue = batch.status")]):
        assert expire(DUE, NOW) is DUE


def test_a_property_can_be_patched() -> None:
    event = SlotsAssigned("b", 1, 1, (), "correlation")
    original = event.event_id
    old = 'uuid5(NAMESPACE, f"{self.batch_id} EssaySlotsAssigned {self.version}")'
    with applied([Patch(EVENTS, old, "UUID(int=7)")]):
        assert event.event_id == UUID(int=7)
    assert event.event_id == original


@pytest.mark.parametrize("old", ["Status.OPEN", "no such text"])
def test_a_text_that_does_not_occur_exactly_once_is_refused(old: str) -> None:
    with pytest.raises(LookupError, match="quote what occurs once"), applied([Patch(DECISIONS, old, "")]):
        pass


def test_a_text_outside_of_a_function_is_refused() -> None:
    with (
        pytest.raises(LookupError, match="in no function"),
        applied([Patch(EVENTS, "NAMESPACE = UUID", "N")]),
    ):
        pass
