"""The contract of the port `Coordinator` about keys: expiry, loss, wrong types and lost scripts."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import pytest

from els_core.adapters.redis import keys
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.contract.conftest import RETENTION
from tests.contract.snapshots import FIVE, FULL, HOUR, UNKNOWN, at, install, propose, snapshot
from tests.factories import content, failure

if TYPE_CHECKING:
    from datetime import datetime

    from tests.contract.coordinators import CoordinatorUnderTest


def test_installed_keys_expire_after_the_deadline_plus_the_retention(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(4, deadline, assigned=["a"], failed=["f"]))
    expiries = coordinator.keys("b")
    assert expiries.pop(keys.TIMEOUT) == ceil(deadline.timestamp())
    assert expiries == dict.fromkeys(FIVE, int((deadline + RETENTION).timestamp()))


def test_keys_written_by_a_proposal_expire_at_the_same_time(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(3, deadline))
    propose(coordinator, content("a"), failure("f"))
    expiries = coordinator.keys("b")
    del expiries[keys.TIMEOUT]
    assert expiries == dict.fromkeys(FIVE, int((deadline + RETENTION).timestamp()))


def test_the_retention_of_an_overdue_batch_starts_now(coordinator: CoordinatorUnderTest) -> None:
    now = coordinator.now()
    install(coordinator, snapshot(2, now - HOUR))
    later = now + HOUR
    assert coordinator.port.propose([content("a")], later)[0].kind is ProposalKind.ASSIGNED
    expiries = coordinator.keys("b")
    assert set(expiries.values()) == {float(int((later + RETENTION).timestamp()))}
    assert keys.TIMEOUT not in expiries


def test_flushed_scripts_are_loaded_again(coordinator: CoordinatorUnderTest, deadline: datetime) -> None:
    coordinator.flush_scripts()
    install(coordinator, *(snapshot(2, deadline, at(batch_id=f"b{number}")) for number in range(9)))
    coordinator.flush_scripts()
    answers = propose(coordinator, *(content("a", f"b{number}") for number in range(9)))
    assert [answer.kind for answer in answers] == [ProposalKind.ASSIGNED] * 9


@pytest.mark.parametrize("name", FIVE)
def test_a_key_of_the_wrong_type_is_no_fault_and_is_replaced(
    coordinator: CoordinatorUnderTest, deadline: datetime, name: str
) -> None:
    install(
        coordinator, snapshot(4, deadline, assigned=["a"]), snapshot(1, deadline, at(batch_id="neighbour"))
    )
    coordinator.spoil("b", name)
    assert len(coordinator.coordinator_inspector.inspect(["b"])) == 1
    answers = propose(coordinator, content("x"), failure("y"), content("z", "neighbour"))
    assert answers == [UNKNOWN, UNKNOWN, Proposal(ProposalKind.ASSIGNED, "essay-0000")]
    assert coordinator.port.get_assigned_count("b") in {0, 1, 2}
    assert len(coordinator.port.get_missing_slots("b")) <= 3
    install(coordinator, snapshot(4, deadline, at(version=2), assigned=["a"]))
    assert propose(coordinator, content("x"), failure("y"), content("a"))[2] == Proposal(
        ProposalKind.DUPLICATE, "essay-0000"
    )


def test_a_batch_is_known_exactly_when_its_metadata_key_exists(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(2, deadline, assigned=["a"]))
    coordinator.lose("b", keys.METADATA)
    assert propose(coordinator, content("a"), content("c")) == [UNKNOWN, UNKNOWN]
    install(coordinator, snapshot(2, deadline, assigned=["a"]))
    coordinator.lose("b", keys.AVAILABLE_SLOTS)
    assert propose(coordinator, content("a"), content("c")) == [
        Proposal(ProposalKind.DUPLICATE, "essay-0000"),
        FULL,
    ]


def test_two_thousand_arrivals_of_one_batch_fit_into_one_call(
    coordinator: CoordinatorUnderTest, deadline: datetime
) -> None:
    install(coordinator, snapshot(2_000, deadline))
    answers = propose(coordinator, *(content(f"content-{number}") for number in range(2_000)))
    assert len({answer.essay_id for answer in answers}) == 2_000
