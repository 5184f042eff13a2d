"""After a commit Redis is refreshed and events are published; whatever fails is left for the relay."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.post_commit import PostCommit, PublishResult
from els_core.domain.errors import ExternalServiceError, PartiallySentError
from els_core.domain.events import OutboxMessage
from tests.factories import snapshot
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Sequence

MESSAGES = [OutboxMessage(UUID(int=number), "b", f"Event{number}", "{}") for number in range(3)]
SNAPSHOT = snapshot(3, ["a"])


@pytest.fixture
def environment() -> InMemoryEnvironment:
    """Return an environment whose outbox holds the messages."""
    environment = InMemoryEnvironment()
    environment.postgres.transact(lambda transaction: transaction.enqueue(MESSAGES))
    return environment


def services(result: PublishResult) -> list[str]:
    """Return the services whose faults a result reports."""
    return [fault.service for fault in result.faults]


def test_redis_is_refreshed_and_published_events_leave_the_outbox(environment: InMemoryEnvironment) -> None:
    result = environment.post_commit.run([SNAPSHOT], MESSAGES)
    assert result == PublishResult(sent=3, unsent=0)
    assert environment.redis.get_missing_slots("b") == ["essay-0001", "essay-0002"]
    assert environment.bus.accepted == MESSAGES
    assert environment.outbox() == []


def test_without_snapshots_and_messages_no_service_is_called(environment: InMemoryEnvironment) -> None:
    environment.redis.is_down = environment.bus.is_down = True
    assert environment.post_commit.run([], []) == PublishResult()


@pytest.mark.fault(21)
def test_an_unavailable_redis_delays_no_event(environment: InMemoryEnvironment) -> None:
    environment.redis.is_down = True
    result = environment.post_commit.run([SNAPSHOT], MESSAGES)
    assert (result.sent, result.unsent, services(result)) == (3, 0, ["Redis"])


@pytest.mark.fault(2)
def test_an_unavailable_bus_leaves_every_event_in_the_outbox(environment: InMemoryEnvironment) -> None:
    environment.bus.is_down = True
    result = environment.post_commit.run([SNAPSHOT], MESSAGES)
    assert (result.sent, result.unsent, services(result)) == (0, 3, ["EventBridge"])
    assert environment.outbox() == ["Event0", "Event1", "Event2"]
    assert environment.redis.get_missing_slots("b") == ["essay-0001", "essay-0002"]


@pytest.mark.fault(2)
def test_a_rejected_event_stays_in_the_outbox_and_the_others_leave_it(
    environment: InMemoryEnvironment,
) -> None:
    environment.bus.rejects = lambda message: message.detail_type == "Event1"
    assert environment.post_commit.run([], MESSAGES) == PublishResult(sent=2, unsent=1)
    assert environment.outbox() == ["Event1"]


class PartialPublisher:
    """The port `Publisher`: accepts the first message and says why it rejects the others."""

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        accepted = [messages[0].event_id]
        raise PartiallySentError("publish", accepted=accepted, service="EventBridge", details="Throttled: 2")


def test_the_reason_of_a_rejection_is_reported_with_the_counts(environment: InMemoryEnvironment) -> None:
    post_commit = PostCommit(environment.redis, environment.postgres, PartialPublisher(), environment.clock)
    result = post_commit.run([], MESSAGES)
    assert (result.sent, result.unsent, services(result)) == (1, 2, ["EventBridge"])
    assert environment.outbox() == ["Event1", "Event2"]


def test_publishing_alone_raises_when_the_bus_accepts_nothing(environment: InMemoryEnvironment) -> None:
    environment.bus.is_down = True
    with pytest.raises(ExternalServiceError, match="EventBridge"):
        environment.post_commit.publish(MESSAGES)


@pytest.mark.fault(2)
def test_events_whose_deletion_was_lost_are_published_again_with_the_same_ids(
    environment: InMemoryEnvironment,
) -> None:
    environment.bus.publish(MESSAGES)
    environment.clock.advance(timedelta(minutes=1))
    environment.relay()
    assert environment.bus.accepted == [*MESSAGES, *MESSAGES]
    assert environment.outbox() == []
