"""After a commit Redis is refreshed and events are published; whatever fails is left for the relay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.budgets import always
from els_core.application.decision_step import Decision
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.application.post_commit import PostCommit, PublishResult
from els_core.domain.errors import ExternalServiceError, PartiallySentError
from els_core.domain.events import OutboxMessage
from tests.factories import registration, snapshot
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.budgets import MayContinue

MESSAGES = [OutboxMessage(UUID(int=number), "b", f"Event{number}", "{}") for number in range(3)]
UPDATE = CoordinatorUpdate(snapshot(3, ["a"]))


@pytest.fixture
def environment() -> InMemoryEnvironment:
    """Return an empty environment."""
    return InMemoryEnvironment()


@pytest.fixture
def enqueued(environment: InMemoryEnvironment) -> Sequence[OutboxMessage]:
    """Return the messages with their positions in the outbox."""
    return environment.postgres.transact(lambda transaction: transaction.enqueue(MESSAGES))


def services(result: PublishResult) -> list[str]:
    """Return the services whose faults a result reports."""
    return [fault.service for fault in result.faults]


def test_redis_is_refreshed_and_published_events_leave_the_outbox(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage]
) -> None:
    result = environment.post_commit.run(Decision(updates=[UPDATE], messages=enqueued))
    assert result == PublishResult(sent=3, unsent=0)
    assert environment.redis.get_missing_slots("b") == ["essay-0001", "essay-0002"]
    assert environment.bus.accepted == enqueued
    assert environment.outbox() == []


def test_without_snapshots_and_messages_no_service_is_called(environment: InMemoryEnvironment) -> None:
    environment.redis.is_down = environment.bus.is_down = True
    assert environment.post_commit.run(Decision()) == PublishResult()


@pytest.mark.fault(21)
def test_an_unavailable_redis_delays_no_event(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage]
) -> None:
    environment.redis.is_down = True
    result = environment.post_commit.run(Decision(updates=[UPDATE], messages=enqueued))
    assert (result.sent, result.unsent, services(result)) == (3, 0, ["Redis"])


@pytest.mark.fault(2)
def test_an_unavailable_bus_leaves_every_event_in_the_outbox(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage]
) -> None:
    environment.bus.is_down = True
    result = environment.post_commit.run(Decision(updates=[UPDATE], messages=enqueued))
    assert (result.sent, result.unsent, services(result)) == (0, 3, ["EventBridge"])
    assert environment.outbox() == ["Event0", "Event1", "Event2"]
    assert environment.redis.get_missing_slots("b") == ["essay-0001", "essay-0002"]


@pytest.mark.fault(2)
def test_a_rejected_event_stays_in_the_outbox_and_the_others_leave_it(
    environment: InMemoryEnvironment,
    enqueued: list[OutboxMessage],
) -> None:
    environment.bus.rejects = lambda message: message.detail_type == "Event1"
    assert environment.post_commit.run(Decision(messages=enqueued)) == PublishResult(sent=2, unsent=1)
    assert environment.outbox() == ["Event1"]


class PartialPublisher:
    """The port `Publisher`: accepts the first message and says why it rejects the others."""

    def publish(self, messages: Sequence[OutboxMessage], _: MayContinue) -> list[UUID]:
        accepted = [messages[0].event_id]
        raise PartiallySentError("publish", accepted=accepted, service="EventBridge", details="Throttled: 2")


def test_the_reason_of_a_rejection_is_reported_with_the_counts(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage]
) -> None:
    post_commit = PostCommit(environment.redis, environment.postgres, PartialPublisher(), environment.clock)
    result = post_commit.run(Decision(messages=enqueued))
    assert (result.sent, result.unsent, services(result)) == (1, 2, ["EventBridge"])
    assert environment.outbox() == ["Event1", "Event2"]


def test_publishing_alone_raises_when_the_bus_accepts_nothing(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage]
) -> None:
    environment.bus.is_down = True
    with pytest.raises(ExternalServiceError, match="EventBridge"):
        environment.post_commit.publish(enqueued)


@pytest.mark.fault(2)
def test_events_whose_deletion_was_lost_are_published_again_with_the_same_ids(
    environment: InMemoryEnvironment,
    enqueued: list[OutboxMessage],
) -> None:
    environment.bus.publish(enqueued, always)
    environment.clock.advance(timedelta(minutes=1))
    environment.relay()
    assert environment.bus.accepted == [*enqueued, *enqueued]
    assert environment.outbox() == []


@pytest.mark.fault(42)
def test_events_that_could_not_be_deleted_were_sent_all_the_same(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ExternalServiceError("delete sent events", service="Postgres")

    monkeypatch.setattr(environment.postgres, "delete_sent", fail)
    result = environment.post_commit.run(Decision(messages=enqueued))
    assert (result.sent, result.unsent, services(result)) == (3, 0, ["Postgres"])


def test_final_results_are_published_before_everything_else(environment: InMemoryEnvironment) -> None:
    final = replace(MESSAGES[2], is_final=True)
    sent = environment.postgres.transact(lambda t: t.enqueue([*MESSAGES[:2], final]))
    environment.post_commit.run(Decision(messages=sent))
    assert environment.published() == ["Event2", "Event0", "Event1"]


def test_publishing_stops_when_time_runs_short_and_the_rest_stays_in_the_outbox(
    environment: InMemoryEnvironment, enqueued: list[OutboxMessage]
) -> None:
    left = iter([True, False, False])
    result = environment.post_commit.publish(enqueued, lambda: next(left))
    assert (result.sent, result.unsent) == (1, 2)
    assert environment.outbox() == ["Event1", "Event2"]


def test_batches_that_did_not_fit_into_the_transaction_are_refreshed_afterwards(
    environment: InMemoryEnvironment,
) -> None:
    environment.register(*(registration(2, f"b{number}") for number in range(9)))
    environment.redis.flush()
    environment.post_commit.run(Decision(refresh_later=[f"b{number}" for number in range(9)]))
    assert all(environment.redis.get_missing_slots(f"b{number}") for number in range(9))
