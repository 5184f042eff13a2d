"""What another epoch begins with: contents, freed slots, and excess contents with what they supersede."""

from __future__ import annotations

from els_core.domain.batches import Status
from els_core.domain.commands import Refusal, Reopen
from els_core.domain.decisions import BatchChange
from els_core.domain.reopening import Standby, reopen
from tests.factories import NOW, content, snapshot

READY = snapshot(2, ["a", "b"], status=Status.READY)


def test_the_oldest_excess_contents_are_taken_in_and_the_others_stay_excess() -> None:
    standby = Standby([content("c"), content("d")])
    change = reopen(Reopen(60, ("new",)), READY, standby, NOW, "id")
    assert isinstance(change, BatchChange)
    assert (change.taken_in, change.after.status) == (("content:c",), Status.READY)


def test_a_full_batch_is_opened_only_for_a_replacement() -> None:
    assert reopen(Reopen(60), READY, Standby([content("c")]), NOW, "id") is Refusal.NOTHING_TO_WAIT_FOR
    swapped = reopen(Reopen(60), READY, Standby([content("c", supersedes="content:a")]), NOW, "id")
    assert isinstance(swapped, BatchChange)
    assert [(one.identity, one.essay_id) for one in swapped.superseded] == [("content:a", "essay-0000")]
    assert (swapped.after.status, swapped.after.assigned_count) == (Status.READY, 2)
