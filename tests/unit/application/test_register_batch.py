"""Registration is idempotent: the first one opens the batch and decides what was parked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from els_core.application.register_batch import REJECTION, Opened, Rejected, Repeated
from els_core.domain.batches import Status
from els_core.domain.outcomes import Assigned, Excess, Failed, Reason, name_of
from tests.factories import content, failure, registration
from tests.unit.application.in_memory import InMemoryEnvironment


@pytest.fixture
def environment() -> InMemoryEnvironment:
    return InMemoryEnvironment()


def test_a_registration_opens_the_batch_and_installs_it_in_redis(environment: InMemoryEnvironment) -> None:
    assert environment.register(registration(2)).answers == [Opened()]
    assert environment.snapshot().batch.status is Status.OPEN
    assert environment.redis.get_missing_slots("b") == ["essay-0000", "essay-0001"]
    assert environment.published() == []


ANSWERS = {
    "the same again": ([registration(2), registration(2)], [Opened(), Repeated()]),
    "other data": ([registration(2), registration(3)], [Opened(), Rejected(REJECTION)]),
    "the same after other data": (
        [registration(2), registration(3), registration(2)],
        [Opened(), Rejected(REJECTION), Repeated()],
    ),
    "another batch": ([registration(2), registration(2, "other")], [Opened(), Opened()]),
}


@pytest.mark.fault(6)
@pytest.mark.parametrize("is_one_call", [True, False])
@pytest.mark.parametrize("case", ANSWERS)
def test_the_first_registration_stands_in_one_call_and_in_several(
    environment: InMemoryEnvironment, case: str, *, is_one_call: bool
) -> None:
    registrations, expected = ANSWERS[case]
    if is_one_call:
        answers = list(environment.register(*registrations).answers)
    else:
        answers = [answer for one in registrations for answer in environment.register(one).answers]
    assert answers == expected
    assert environment.snapshot().batch.expected_count == 2


@pytest.mark.fault(6)
def test_the_same_rejected_registration_is_announced_under_one_id(environment: InMemoryEnvironment) -> None:
    environment.register(registration(2), registration(3), registration(3))
    environment.register(registration(3))
    assert set(environment.published()) == {"BatchRegistrationRejected"}
    assert len({message.event_id for message in environment.bus.accepted}) == 1


@pytest.mark.fault(5)
def test_parked_arrivals_are_decided_in_the_order_in_which_they_came(
    environment: InMemoryEnvironment,
) -> None:
    environment.provision(content("a"), failure("f"))
    environment.provision(content("x"))
    result = environment.register(registration(2))
    assert [name_of(outcome) for outcome in result.drained.values()] == ["assigned", "failed", "excess"]
    assert result.drained["b", "content:x"] == Excess(Reason.NO_AVAILABLE_SLOT)
    assert [closed.batch.status for closed in result.closed] == [Status.READY]


def test_a_decided_parked_arrival_is_no_longer_parked(environment: InMemoryEnvironment) -> None:
    environment.provision(content("a"))
    environment.register(registration(2))
    assert environment.postgres.transact(lambda transaction: transaction.parked(["b"], 100)) == []


@pytest.mark.fault(15)
def test_a_parked_arrival_that_cannot_be_decided_stays_parked_and_fails_no_registration(
    environment: InMemoryEnvironment,
) -> None:
    too_large = replace(content("large"), file_size_bytes=2**63)
    environment.provision(content("a"), content("unreadable"), too_large)
    environment.make_parked_unreadable("content:unreadable")
    result = environment.register(registration(2))
    assert result.answers == [Opened()]
    assert list(map(type, result.drained.values())) == [Assigned]
    undecidable = {"content:large", "content:unreadable"}
    assert {identity for _, identity in result.undecidable} == undecidable
    parked = environment.postgres.transact(lambda transaction: transaction.parked(["b"], 100))
    assert {row.identity for row in parked} == undecidable


def test_a_repeated_registration_decides_what_is_still_parked(environment: InMemoryEnvironment) -> None:
    environment.register(registration(2))
    environment.redis.flush()
    assert environment.register(registration(2)).answers == [Repeated()]
    assert environment.redis.get_missing_slots("b") == ["essay-0000", "essay-0001"]


@pytest.mark.fault(21)
def test_a_registration_stands_although_redis_is_down(environment: InMemoryEnvironment) -> None:
    environment.redis.is_down = True
    result = environment.register(registration(1))
    assert result.answers == [Opened()]
    assert [fault.service for fault in result.published[0].faults] == ["Redis"]
    environment.redis.is_down = False
    assert environment.provision(failure("f")).outcomes == [Failed("essay-0000")]
