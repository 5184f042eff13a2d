"""The contract of the port `Coordinator`: on the fake, on one Valkey and on a cluster of three."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.adapters.redis import keys
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.domain.audit import CoordinatorView
from els_core.domain.batches import AssignedSlot, Batch, BatchSnapshot, Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.contract.snapshots import FULL, UNKNOWN, at, install, propose, snapshot
from tests.factories import content, failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from els_core.application.ports.coordinator import Coordinator
    from tests.contract.coordinators import CoordinatorUnderTest


def test_a_batch_that_was_not_installed_is_unknown(coordinator: CoordinatorUnderTest) -> None:
    assert propose(coordinator, content("a"), failure("f")) == [UNKNOWN, UNKNOWN]
    assert coordinator.keys("b") == {}


def test_each_arrival_is_proposed_a_slot_of_its_own_until_none_is_left(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(3, deadline))
    answers = propose(coordinator, content("a"), failure("f"), content("c"), content("d"), failure("g"))
    assert [answer.kind for answer in answers[:3]] == [
        ProposalKind.ASSIGNED,
        ProposalKind.FAILED,
        ProposalKind.ASSIGNED,
    ]
    assert {answer.essay_id for answer in answers[:3]} == {"essay-0000", "essay-0001", "essay-0002"}
    assert answers[3:] == [FULL, FULL]


def test_a_redelivered_arrival_is_proposed_the_same_slot(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(3, deadline))
    first = propose(coordinator, content("a"), failure("a"))
    again = propose(coordinator, failure("a"), content("a"), content("a"))
    assert [answer.kind for answer in again] == [ProposalKind.DUPLICATE] * 3
    assert [answer.essay_id for answer in again] == [first[1].essay_id, first[0].essay_id, first[0].essay_id]
    assert len(coordinator.port.get_missing_slots("b")) == 1


def test_proposals_for_many_batches_have_the_order_of_the_arrivals(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    batch_ids = [f"b{number}" for number in range(20)]
    install(coordinator, *(snapshot(2, deadline, at(batch_id=batch_id)) for batch_id in batch_ids[:10]))
    arrivals = [content(name, batch_id) for name in ("x", "y") for batch_id in batch_ids]
    answers = propose(coordinator, *arrivals)
    for arrival, answer in zip(arrivals, answers, strict=True):
        assert (answer == UNKNOWN) == (arrival.batch_id in batch_ids[10:])
        if answer != UNKNOWN:
            held = {
                slot.text_storage_id: slot for slot in coordinator.port.get_assigned_essays(arrival.batch_id)
            }
            assert held[arrival.text_storage_id].essay_id == answer.essay_id


def test_an_installed_batch_is_known_with_its_used_slots(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(4, deadline, assigned=["a"], failed=["f"]))
    assert propose(coordinator, content("a"), failure("f")) == [
        Proposal(ProposalKind.DUPLICATE, "essay-0000"),
        Proposal(ProposalKind.DUPLICATE, "essay-0001"),
    ]
    assert coordinator.port.get_missing_slots("b") == ["essay-0002", "essay-0003"]


def test_the_queries_reflect_the_proposals(coordinator: CoordinatorUnderTest, deadline: datetime) -> None:
    install(coordinator, snapshot(3, deadline, assigned=["a"], failed=["f"]))
    assert coordinator.port.get_assigned_count("b") == 1
    assert coordinator.port.get_assigned_essays("b") == [AssignedSlot("essay-0000", "a", "a.txt")]
    assert propose(coordinator, content("c")) == [Proposal(ProposalKind.ASSIGNED, "essay-0002")]
    assert coordinator.port.get_assigned_essays("b") == [
        AssignedSlot("essay-0000", "a", "a.txt"),
        AssignedSlot("essay-0002", "c", "c.txt"),
    ]
    assert coordinator.port.get_missing_slots("b") == []


def test_the_inspector_reads_a_batch_atomically(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(4, deadline, at(version=7), assigned=["a"], failed=["f"]))
    [known, unknown] = coordinator.coordinator_inspector.inspect(["b", "other"])
    free = frozenset({"essay-0002", "essay-0003"})
    assert known == CoordinatorView(7, free, {"content:a": "essay-0000", "upload:f": "essay-0001"}, None)
    assert unknown is None
    now = coordinator.now()
    [proposal] = coordinator.port.propose([content("c")], now)
    [after] = coordinator.coordinator_inspector.inspect(["b"])
    assert isinstance(after, CoordinatorView)
    assert after.slot_by_identity["content:c"] == proposal.essay_id
    assert after.proposed_at == pytest.approx(now.timestamp())


def test_the_queries_return_nothing_for_an_unknown_batch(coordinator: CoordinatorUnderTest) -> None:
    port = coordinator.port
    assert (port.get_assigned_count("b"), port.get_assigned_essays("b"), port.get_missing_slots("b")) == (
        0,
        [],
        [],
    )


def test_installing_discards_later_proposals(coordinator: CoordinatorUnderTest, deadline: datetime) -> None:
    install(coordinator, snapshot(2, deadline))
    propose(coordinator, content("a"), failure("f"))
    install(coordinator, snapshot(2, deadline))
    assert len(coordinator.port.get_missing_slots("b")) == 2
    assert propose(coordinator, content("c"))[0].kind is ProposalKind.ASSIGNED


@pytest.mark.parametrize("version", [6, 7])
def test_the_same_or_a_newer_version_replaces_the_known_one(
    coordinator: CoordinatorUnderTest, deadline: datetime, version: int
) -> None:
    install(coordinator, snapshot(2, deadline, at(version=6)))
    install(coordinator, snapshot(2, deadline, at(version=version), assigned=["a"]))
    assert coordinator.port.get_assigned_count("b") == 1


def test_an_older_version_never_replaces_a_newer_one(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(2, deadline, at(version=10), assigned=["a"]))
    install(coordinator, snapshot(2, deadline, at(version=9)), snapshot(1, deadline, at(batch_id="other")))
    assert coordinator.port.get_assigned_count("b") == 1
    assert coordinator.port.get_missing_slots("other") == ["essay-0000"]


@pytest.mark.parametrize("status", [Status.READY, Status.FAILED, Status.TIMED_OUT])
def test_a_terminal_batch_keeps_only_its_metadata(
    coordinator: CoordinatorUnderTest, deadline: datetime, status: Status
) -> None:
    install(coordinator, snapshot(2, deadline, at(version=3), assigned=["a"]))
    install(coordinator, snapshot(2, deadline, at(version=4, status=status), assigned=["a", "c"]))
    assert set(coordinator.keys("b")) == {keys.METADATA}
    assert propose(coordinator, content("a"), failure("f")) == [FULL, FULL]
    assert set(coordinator.keys("b")) == {keys.METADATA}


def test_a_slow_installer_cannot_reopen_a_terminal_batch(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(1, deadline, at(version=4, status=Status.READY), assigned=["a"]))
    install(coordinator, snapshot(1, deadline, at(version=3)))
    assert propose(coordinator, content("c")) == [FULL]


def test_an_awaited_batch_keeps_no_key(coordinator: CoordinatorUnderTest, deadline: datetime) -> None:
    install(coordinator, snapshot(2, deadline, at(version=1)))
    install(coordinator, BatchSnapshot(Batch("b", Status.AWAITED, 2)))
    assert coordinator.keys("b") == {}
    assert propose(coordinator, content("a")) == [UNKNOWN]


def test_an_older_awaited_version_removes_nothing(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(2, deadline, at(version=2)))
    install(coordinator, BatchSnapshot(Batch("b", Status.AWAITED, 1)))
    assert len(coordinator.port.get_missing_slots("b")) == 2


CALLS: list[Callable[[Coordinator, datetime], object]] = [
    lambda port, now: port.propose([content("a")], now),
    lambda port, now: port.install([CoordinatorUpdate(snapshot(1, now))], now),
    lambda port, _: port.get_assigned_count("b"),
    lambda port, _: port.get_assigned_essays("b"),
    lambda port, _: port.get_missing_slots("b"),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_unavailable_server_is_a_fault(
    coordinator: CoordinatorUnderTest, call: Callable[[Coordinator, datetime], object]
) -> None:
    down = coordinator.go_down()
    with pytest.raises(ExternalServiceError) as caught:
        call(down, coordinator.now())
    assert caught.value.service == "Redis"


def test_proposals_carry_the_version_that_redis_has(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(1, deadline, at(version=7)))
    proposals = coordinator.port.propose([content("a"), content("b")], coordinator.now())
    assert [proposal.version for proposal in proposals] == [7, 7]
    [unknown] = coordinator.port.propose([content("a", "other")], coordinator.now())
    assert unknown.version is None


@pytest.mark.fault(29)
def test_a_version_that_cannot_be_true_is_replaced_and_no_other(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(2, deadline, at(version=10**6), assigned=["a"]))
    older = snapshot(2, deadline, at(version=3))
    coordinator.port.install([CoordinatorUpdate(older, replaces=999)], coordinator.now())
    assert len(coordinator.port.get_missing_slots("b")) == 1
    coordinator.port.install([CoordinatorUpdate(older, replaces=10**6)], coordinator.now())
    assert len(coordinator.port.get_missing_slots("b")) == 2
