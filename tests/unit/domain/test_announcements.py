"""What a change with commands announces, and in which order."""

from __future__ import annotations

from dataclasses import replace

from els_core.domain.announcements import domain_events_of
from els_core.domain.decisions import BatchChange
from els_core.domain.events import BatchReopened, SlotsAssigned, SlotsReleased
from els_core.domain.outcomes import Assigned
from els_core.domain.superseding import SupersededArrival
from tests.factories import batch, content


def test_a_reopening_announces_itself_then_what_it_released_then_what_it_assigned() -> None:
    before = batch()
    after = replace(before, version=2, epoch=2)
    superseded = (SupersededArrival("content:a", "s1"), SupersededArrival("upload:f", "s2"))
    change = BatchChange(before, after, ((content("c"), Assigned("s1")),), superseded, ("content:c",))
    reopened, released, assigned = domain_events_of(replace(change, correlation_id="cause"))
    assert reopened == BatchReopened(after, 1, "cause")
    assert isinstance(released, SlotsReleased)
    assert [slot.text_storage_id for slot in released.released] == ["a"]
    assert isinstance(assigned, SlotsAssigned)
