"""The sweep closes overdue batches, announces overdue parked arrivals and deletes old batches."""

from __future__ import annotations

import json

import pytest

from els_core.application.expire_batches import PAGE
from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.unit.application.in_memory import HOUR, PARKING, RETENTION, InMemoryEnvironment


@pytest.fixture
def environment() -> InMemoryEnvironment:
    return InMemoryEnvironment()


def statuses(environment: InMemoryEnvironment, *batch_ids: str) -> list[Status]:
    return [environment.snapshot(batch_id).batch.status for batch_id in batch_ids]


@pytest.mark.fault(9)
def test_only_open_batches_past_their_deadline_are_closed(environment: InMemoryEnvironment) -> None:
    environment.register(
        registration(2, "due", 60), registration(2, "open", 7_200), registration(1, "ready", 60)
    )
    environment.provision(content("a", "ready"), content("a", "awaited"))
    environment.clock.advance(HOUR)
    assert [closed.batch_id for closed in environment.expire().closed] == ["due"]
    assert statuses(environment, "due", "open", "ready", "awaited") == [
        Status.TIMED_OUT,
        Status.OPEN,
        Status.READY,
        Status.AWAITED,
    ]


@pytest.mark.fault(9)
def test_a_closed_batch_is_announced_once_with_its_partial_lists(environment: InMemoryEnvironment) -> None:
    environment.register(registration(3, timeout_seconds=60))
    environment.provision(content("a"), failure("f"))
    environment.clock.advance(HOUR)
    environment.expire()
    environment.expire()
    [message] = [one for one in environment.bus.accepted if one.detail_type == "BatchReadinessTimeout"]
    data = json.loads(message.detail)["data"]
    assert [essay["text_storage_id"] for essay in data["ready_essays"]] == ["a"]
    assert (len(data["missing_essay_ids"]), len(data["validation_failures"])) == (1, 1)


def test_redis_knows_that_a_swept_batch_is_closed(environment: InMemoryEnvironment) -> None:
    environment.register(registration(3, timeout_seconds=60))
    environment.clock.advance(HOUR)
    environment.expire()
    assert environment.redis.get_missing_slots("b") == []


@pytest.mark.fault(21)
def test_a_sweep_closes_batches_although_redis_and_the_bus_are_down(environment: InMemoryEnvironment) -> None:
    environment.register(registration(1, timeout_seconds=60))
    environment.clock.advance(HOUR)
    environment.redis.is_down = environment.bus.is_down = True
    result = environment.expire()
    assert [fault.service for one in result.published for fault in one.faults] == ["Redis", "EventBridge"]
    assert statuses(environment, "b") == [Status.TIMED_OUT]
    assert environment.outbox() == ["BatchReadinessTimeout"]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1])
def test_every_page_of_overdue_batches_is_closed(environment: InMemoryEnvironment, count: int) -> None:
    environment.register(*(registration(1, f"b{number}", 60) for number in range(count)))
    environment.clock.advance(HOUR)
    assert len(environment.expire().closed) == count


def test_a_sweep_stops_between_pages_when_time_runs_short(environment: InMemoryEnvironment) -> None:
    environment.register(*(registration(1, f"b{number}", 60) for number in range(PAGE + 1)))
    environment.clock.advance(HOUR)
    time_left = iter([True, False, False, False])
    assert len(environment.expire(lambda: next(time_left)).closed) == PAGE


@pytest.mark.fault(5)
def test_overdue_parked_arrivals_are_announced_once_and_stay_parked(environment: InMemoryEnvironment) -> None:
    environment.provision(content("a"), failure("f"))
    assert environment.expire().overdue_parked == 0
    environment.clock.advance(PARKING)
    assert environment.expire().overdue_parked == 1
    assert environment.expire().overdue_parked == 0
    [message] = environment.bus.accepted
    arrivals = json.loads(message.detail)["data"]["arrivals"]
    assert [(one["kind"], one["identity"]) for one in arrivals] == [
        ("content", "content:a"),
        ("failure", "upload:f"),
    ]
    environment.register(registration(2))
    assert statuses(environment, "b") == [Status.READY]


def test_an_unreadable_parked_arrival_is_not_announced(environment: InMemoryEnvironment) -> None:
    environment.provision(content("a"))
    environment.make_parked_unreadable("content:a")
    environment.clock.advance(PARKING)
    assert environment.expire().overdue_parked == 1
    assert environment.published() == []


def test_batches_unchanged_for_longer_than_the_retention_are_deleted(
    environment: InMemoryEnvironment,
) -> None:
    environment.register(registration(1, "old"))
    environment.provision(content("a", "old"))
    environment.clock.advance(RETENTION - HOUR)
    environment.register(registration(1, "young"))
    environment.provision(content("a", "young"))
    assert environment.expire().purged == 0
    environment.clock.advance(2 * HOUR)
    assert environment.expire().purged == 1
    assert environment.postgres.find("old") is None
    assert statuses(environment, "young") == [Status.READY]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1])
def test_every_page_of_old_batches_is_deleted(environment: InMemoryEnvironment, count: int) -> None:
    environment.provision(*(content("a", f"b{number}") for number in range(count)))
    environment.expire()
    environment.clock.advance(RETENTION + HOUR)
    assert environment.expire().purged == count
