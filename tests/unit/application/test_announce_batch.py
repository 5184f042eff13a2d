"""The final result of a batch is published again, as the same event, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from els_core.application.announce_batch import AnnounceBatch, Announced, NothingToAnnounce
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.batches import Status
from tests.factories import content, registration
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from els_core.domain.events import OutboxMessage

pytestmark = pytest.mark.fault(24)


@pytest.fixture
def environment() -> InMemoryEnvironment:
    return InMemoryEnvironment()


def announce(environment: InMemoryEnvironment, batch_id: str = "b") -> Announced | NothingToAnnounce:
    return AnnounceBatch(environment.post_commit, JsonEventEncoder()).announce(batch_id)


def close(environment: InMemoryEnvironment) -> None:
    environment.register(registration(1))
    environment.provision(content("a"))


def final_results(environment: InMemoryEnvironment) -> list[OutboxMessage]:
    return [message for message in environment.bus.accepted if message.is_final]


def test_the_final_result_is_published_again_with_the_same_id_and_the_same_bytes(
    environment: InMemoryEnvironment,
) -> None:
    close(environment)
    environment.clock.advance(timedelta(days=1))
    result = announce(environment)
    assert isinstance(result, Announced)
    [first, again] = final_results(environment)
    assert (again.event_id, again.detail) == (first.event_id, first.detail)
    assert (result.message.event_id, result.published.sent) == (first.event_id, 1)
    assert environment.outbox() == []


def test_the_relay_publishes_what_the_bus_does_not_accept_now(environment: InMemoryEnvironment) -> None:
    close(environment)
    environment.bus.is_down = True
    result = announce(environment)
    assert isinstance(result, Announced)
    assert (result.published.sent, result.published.unsent) == (0, 1)
    assert environment.outbox() == ["BatchEssaysReady"]


def test_a_result_that_was_not_kept_is_encoded_again_with_its_id(environment: InMemoryEnvironment) -> None:
    close(environment)
    [first] = final_results(environment)
    environment.postgres.database.epochs.committed = {}
    result = announce(environment)
    assert isinstance(result, Announced)
    assert result.message.event_id == first.event_id
    assert [message.event_id for message in final_results(environment)] == [first.event_id] * 2


def test_a_batch_without_a_final_result_is_not_announced(environment: InMemoryEnvironment) -> None:
    environment.register(registration(1))
    environment.provision(content("early", "awaited"))
    assert announce(environment, "b") == NothingToAnnounce(Status.OPEN)
    assert announce(environment, "awaited") == NothingToAnnounce(Status.AWAITED)
    assert announce(environment, "unknown") == NothingToAnnounce(None)
    assert environment.published() == []
