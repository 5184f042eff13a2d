"""The sweep closes overdue batches, announces overdue parked arrivals and deletes old batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from els_core.application.budgets import MAX_SLOTS
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.batches import Status
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError, ProcessingError
from tests.factories import content, failure, registration
from tests.fakes.transaction import FakeTransaction
from tests.unit.application.in_memory import HOUR, PARKING, RETENTION, InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.domain.events import DomainEvent


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
    assert [closed.batch.batch_id for closed in environment.expire().closed] == ["due"]
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


PAGE = MAX_SLOTS // 2_000


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1])
def test_every_page_of_overdue_batches_is_closed(environment: InMemoryEnvironment, count: int) -> None:
    environment.register(*(registration(2_000, f"b{number}", 60) for number in range(count)))
    environment.clock.advance(HOUR)
    assert len(environment.expire().closed) == count


def test_a_sweep_stops_between_pages_when_time_runs_short(environment: InMemoryEnvironment) -> None:
    environment.register(*(registration(2_000, f"b{number}", 60) for number in range(PAGE + 1)))
    environment.clock.advance(HOUR)
    result = environment.expire(lambda: not environment.bus.accepted)
    assert len(result.closed) == PAGE


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
    assert environment.postgres.snapshots(["old"]) == []
    assert statuses(environment, "young") == [Status.READY]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1])
def test_every_page_of_old_batches_is_deleted(environment: InMemoryEnvironment, count: int) -> None:
    environment.provision(*(content("a", f"b{number}") for number in range(count)))
    environment.expire()
    environment.clock.advance(RETENTION + HOUR)
    assert environment.expire().purged == count


@pytest.mark.fault(33)
@pytest.mark.parametrize("error", [ProcessingError("encode"), CoordinationTimeoutError("x"), KeyError("odd")])
def test_a_batch_that_cannot_be_closed_is_passed_over_whatever_it_raises(
    environment: InMemoryEnvironment, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    names = ["b0", "b1", "b2", "b3"]
    environment.register(*(registration(2, name, 60 + at) for at, name in enumerate(names)))
    environment.clock.advance(HOUR)
    encode = JsonEventEncoder.encode

    def fail_for_one(encoder: JsonEventEncoder, events: Sequence[DomainEvent], now: datetime) -> Any:
        if any(event.batch_id == "b1" for event in events):
            raise error
        return encode(encoder, events, now)

    monkeypatch.setattr(JsonEventEncoder, "encode", fail_for_one)
    result = environment.expire()
    assert [closed.batch.batch_id for closed in result.closed] == ["b0", "b2", "b3"]
    assert result.faults == [error, error]
    assert statuses(environment, "b1") == [Status.OPEN]


@pytest.mark.fault(34)
def test_a_backlog_of_one_job_does_not_starve_the_others(environment: InMemoryEnvironment) -> None:
    environment.register(*(registration(2_000, f"b{number}", 60) for number in range(3 * PAGE)))
    environment.provision(content("early", "awaited"))
    environment.clock.advance(HOUR)
    result = environment.expire(lambda: "ParkedContentOverdue" not in environment.published())
    assert len(result.closed) == PAGE
    assert result.overdue_parked == 1


def failing_to_note_a_run(monkeypatch: pytest.MonkeyPatch, environment: InMemoryEnvironment) -> Exception:
    fault = ExternalServiceError("note a run", service="Postgres")

    def fail(_: str) -> None:
        raise fault

    monkeypatch.setattr(environment.postgres, "note_run", fail)
    return fault


@pytest.mark.fault(42)
def test_a_postgres_that_fails_in_the_middle_does_not_hide_what_was_closed(
    environment: InMemoryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.register(registration(1, timeout_seconds=60))
    environment.clock.advance(HOUR)
    fault = failing_to_note_a_run(monkeypatch, environment)
    result = environment.expire()
    assert (len(result.closed), result.faults) == (1, [fault])
    with pytest.raises(ExternalServiceError):
        environment.expire()


@pytest.mark.fault(42)
def test_a_sweep_without_any_time_does_not_count_as_run(environment: InMemoryEnvironment) -> None:
    environment.expire(lambda: False)
    assert environment.postgres.database.runs.committed == {}


@pytest.mark.fault(33)
def test_a_job_that_fails_stops_no_other(
    environment: InMemoryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.register(registration(1, "old"))
    environment.provision(content("a", "old"))
    environment.clock.advance(RETENTION + HOUR)

    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(FakeTransaction, "overdue_parked", fail)
    result = environment.expire()
    assert (result.purged, [type(fault) for fault in result.faults]) == (1, [ZeroDivisionError])


@pytest.mark.fault(33)
def test_no_job_begins_when_its_time_is_over(environment: InMemoryEnvironment) -> None:
    environment.register(registration(2, "due", 60))
    environment.provision(content("early", "awaited"))
    environment.clock.advance(HOUR)
    result = environment.expire(lambda: not environment.bus.accepted)
    assert (len(result.closed), result.overdue_parked) == (1, 0)
