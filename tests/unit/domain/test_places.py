"""Each free slot is handed out once, and a slot that is taken over only to its heir."""

from __future__ import annotations

from els_core.domain.places import Places, counted
from els_core.domain.superseding import SupersededArrival
from tests.factories import batch


def test_a_claim_comes_before_the_wanted_slot_and_that_before_any_other() -> None:
    places = Places(["s1", "s2"], {"content:heir": "s9"})
    assert places.take("content:heir", "s1") == "s9"
    assert places.take("content:a", "s1") == "s1"
    assert places.take("content:b", "s1") == "s2"
    assert places.take("content:c", None) is None


def test_room_is_given_to_as_many_as_there_is() -> None:
    places = Places([], room=2)
    assert [places.park(), places.park(), places.park()] == [True, True, False]


def test_freed_slots_are_taken_off_the_counts_of_their_kind() -> None:
    full = batch(slots=4, assigned=2, failed=2)
    freed = [
        SupersededArrival("content:a", "s1"),
        SupersededArrival("upload:f", "s2"),
        SupersededArrival("content:z"),
    ]
    after = counted(full, (), freed)
    assert (after.assigned_count, after.failed_count) == (1, 1)
