"""What a change announces, and that the id of an event never changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from els_core.domain.announcements import batch_closed, domain_events_of
from els_core.domain.batches import AssignedSlot, BatchSnapshot, Status
from els_core.domain.commands import CommandAnswer, CommandName
from els_core.domain.decisions import BatchChange
from els_core.domain.events import (
    BatchReopened,
    CommandAnswered,
    DomainEvent,
    ExcessContent,
    ParkedOverdue,
    RegistrationRejected,
    SlotsAssigned,
    SlotsReleased,
)
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Outcome, Parked, Reason
from tests.factories import CORRELATION, batch, content, failure, snapshot

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival

FULL = Reason.NO_AVAILABLE_SLOT

ANSWER = CommandAnswer("command", CommandName.CANCEL, None, Status.CANCELLED, 1, 2)


def in_epoch(epoch: int, found: BatchSnapshot) -> BatchSnapshot:
    return replace(found, batch=replace(found.batch, epoch=epoch))


THIRD = in_epoch(3, snapshot(1, ["a"], status=Status.READY))

# An id that differs from release to release would make consumers see one event twice: these are pinned.
EVENT_IDS = {
    "04be1932-c2c5-5a5a-a244-897827e0afb6": SlotsAssigned("b", 1, 2, (), CORRELATION),
    "600266e1-feb1-531a-9fb7-ef7d25a252e0": ExcessContent(content("c"), FULL, 1, 2),
    "ecb4414d-9959-5b37-a011-f56fcea3082f": RegistrationRejected("b", "f", "r", CORRELATION, 1, 2),
    "a4d9aac2-e3ca-5152-9c45-8754c7c57880": ParkedOverdue("b", 1, 2, (), CORRELATION),
    "e97c9672-694b-58c0-8855-ee3425217f04": batch_closed(snapshot(1, ["a"], status=Status.READY)),
    "dfca1607-0892-555d-9377-8275c98867b9": batch_closed(snapshot(1, failed=["f"], status=Status.FAILED)),
    "7f0843c5-ae3b-5f96-9143-eb7bd79dc038": batch_closed(snapshot(1, status=Status.TIMED_OUT)),
    "14cd7342-5f22-5458-bbcd-5d79f8407f1c": batch_closed(snapshot(1, status=Status.CANCELLED)),
    "77230b70-27e2-5b41-9fc8-4b5322cf1c5b": batch_closed(
        in_epoch(3, snapshot(1, ["a"], status=Status.READY))
    ),
    "71d21f00-583b-5555-97ca-b3844241900a": SlotsReleased("b", 1, 2, (), CORRELATION),
    "34fd276f-4898-5ab6-9dc0-88425d46cd3e": BatchReopened(replace(batch(), epoch=2), 0, CORRELATION),
    "ec068bc9-9359-5b05-933b-851154211757": CommandAnswered("b", ANSWER, CORRELATION),
}


@pytest.mark.fault(2)
@pytest.mark.parametrize(("event_id", "event"), EVENT_IDS.items(), ids=lambda value: type(value).__name__)
def test_the_id_of_an_event_is_the_same_in_every_release(event_id: str, event: DomainEvent) -> None:
    assert str(event.event_id) == event_id


@pytest.mark.fault(2)
def test_the_id_of_a_final_result_depends_on_nothing_but_batch_and_status() -> None:
    few = batch_closed(snapshot(1, ["a"], status=Status.READY))
    many = batch_closed(snapshot(9, ["a", "c"], ["f"], status=Status.READY))
    assert few.event_id == many.event_id


def announced(*decided: tuple[Arrival, Outcome]) -> list[DomainEvent]:
    """Return the events of a change that raised the row to version 2."""
    return list(domain_events_of(BatchChange(batch(), replace(batch(), version=2), decided)))


A, C, F = content("a"), content("c"), failure("f")
SILENT = [
    (F, Failed("s1")),
    (F, Late(FULL)),
    (C, Parked()),
    (F, Parked()),
    (C, Duplicate(Assigned("s1"))),
    (C, Duplicate(Excess(FULL))),
]


@pytest.mark.parametrize(("arrival", "outcome"), SILENT)
def test_failures_parked_arrivals_and_duplicates_announce_nothing(arrival: Arrival, outcome: Outcome) -> None:
    assert announced((arrival, outcome)) == []


def test_all_contents_that_one_change_assigns_are_one_event() -> None:
    [event] = announced((A, Assigned("s1")), (F, Failed("s2")), (C, Assigned("s3")))
    slots = (AssignedSlot("s1", "a", "a.txt"), AssignedSlot("s3", "c", "c.txt"))
    assert event == SlotsAssigned("b", 1, 2, slots, CORRELATION)


def test_every_excess_content_is_an_event_of_its_own() -> None:
    timed_out = Reason.BATCH_TIMED_OUT
    assert announced((A, Excess(FULL)), (C, Excess(timed_out))) == [
        ExcessContent(A, FULL, 1, 2),
        ExcessContent(C, timed_out, 1, 2),
    ]


def test_assignments_are_announced_before_excess() -> None:
    events = announced((A, Excess(FULL)), (C, Assigned("s1")))
    assert [type(event) for event in events] == [SlotsAssigned, ExcessContent]


def test_a_failure_that_owns_a_slot_like_a_content_is_a_bug() -> None:
    with pytest.raises(TypeError, match="upload:f"):
        announced((F, Assigned("s1")))


def test_a_batch_that_was_never_registered_has_no_final_result() -> None:
    unregistered = replace(snapshot(1, status=Status.TIMED_OUT), details=None)
    with pytest.raises(LookupError, match="b"):
        batch_closed(unregistered)
