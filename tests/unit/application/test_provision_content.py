"""Provisioning answers every arrival in order and isolates data that Postgres rejects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from els_core.application.decision_step import StoreRejection
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Reason
from tests.factories import content, failure, registration
from tests.unit.application.in_memory import InMemoryEnvironment

FULL = Reason.NO_AVAILABLE_SLOT
S0, S1 = "essay-0000", "essay-0001"


@pytest.fixture
def environment() -> InMemoryEnvironment:
    """Return an environment with an open batch of two slots."""
    environment = InMemoryEnvironment()
    environment.register(registration(2))
    return environment


def test_no_arrivals_need_no_store(environment: InMemoryEnvironment) -> None:
    environment.redis.is_down = True
    result = environment.provision()
    assert (result.outcomes, result.closed, result.published) == ([], [], [])


def test_outcomes_have_the_order_of_the_arrivals(environment: InMemoryEnvironment) -> None:
    arrivals = (content("early", "other"), content("a"), failure("f"), content("x"), failure("y"))
    result = environment.provision(*arrivals)
    assert result.outcomes == [Parked(), Assigned(S0), Failed(S1), Excess(FULL), Late(FULL)]
    assert [closed.batch.status for closed in result.closed] == [Status.READY]


@pytest.mark.fault(1)
def test_the_same_arrival_twice_in_one_call_is_one_arrival_and_one_duplicate(
    environment: InMemoryEnvironment,
) -> None:
    outcomes = environment.provision(content("a"), failure("f"), content("a"), failure("f")).outcomes
    assert outcomes == [Assigned(S0), Failed(S1), Duplicate(Assigned(S0)), Duplicate(Failed(S1))]


@pytest.mark.fault(5)
def test_a_parked_arrival_that_is_repeated_stays_parked(environment: InMemoryEnvironment) -> None:
    early = content("a", "other")
    assert environment.provision(early, early).outcomes == [Parked(), Parked()]
    assert environment.provision(early).outcomes == [Parked()]


@pytest.mark.fault(15)
def test_data_that_postgres_rejects_is_rejected_alone(environment: InMemoryEnvironment) -> None:
    poison = replace(content("poison"), original_file_name="nul\x00")
    first, rejected, last, repeated = environment.provision(
        content("a"), poison, failure("f"), poison
    ).outcomes
    assert (first, last) == (Assigned(S0), Failed(S1))
    assert isinstance(rejected, StoreRejection)
    assert repeated == rejected


@pytest.mark.fault(21)
def test_nothing_is_decided_without_redis(environment: InMemoryEnvironment) -> None:
    environment.redis.is_down = True
    with pytest.raises(ExternalServiceError, match="Redis"):
        environment.provision(content("a"), content("early", "other"))
    assert environment.snapshot().available == (S0, S1)
    assert environment.postgres.snapshots(["other"]) == []


@pytest.mark.fault(3)
def test_a_batch_that_redis_lost_is_decided_and_installed_again(environment: InMemoryEnvironment) -> None:
    environment.redis.flush()
    result = environment.provision(content("a"))
    assert (result.outcomes, result.races_lost, result.rebuilt) == ([Assigned(S0)], 0, 1)
    assert environment.redis.get_missing_slots("b") == [S1]


def test_a_race_is_lost_where_postgres_gives_another_slot_than_redis_proposed(
    environment: InMemoryEnvironment,
) -> None:
    before = environment.redis.copy()
    agreed = environment.provision(content("a"))
    environment.redis.restore(before)
    lost = environment.provision(content("c"))
    assert (agreed.races_lost, agreed.rebuilt, lost.races_lost, lost.rebuilt) == (0, 0, 1, 0)
    assert lost.outcomes == [Assigned(S1)]


def test_the_final_result_is_published_before_the_other_events(
    environment: InMemoryEnvironment,
) -> None:
    result = environment.provision(content("x"), content("a"), content("c"))
    assert environment.published() == ["BatchEssaysReady", "EssaySlotsAssigned", "ExcessContentProvisioned"]
    [published] = result.published
    assert (published.sent, published.unsent, len(published.result_latencies)) == (3, 0, 1)
    assert environment.outbox() == []
