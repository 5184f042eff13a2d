"""The contract of the port `Publisher`: on the fake, and with boto3 on moto's EventBridge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.budgets import always
from els_core.domain.errors import ExternalServiceError
from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from tests.contract.messaging import PublisherUnderTest


def message(number: int) -> OutboxMessage:
    return OutboxMessage(UUID(int=number), "b", f"Kind{number}", json.dumps({"number": number}))


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_the_ids_of_all_accepted_messages_are_returned(publisher: PublisherUnderTest, count: int) -> None:
    messages = [message(number) for number in range(count)]
    assert publisher.port.publish(messages, always) == [one.event_id for one in messages]
    assert sorted(publisher.received()) == sorted((one.detail_type, one.detail) for one in messages)


def test_the_same_message_is_published_again_when_asked_again(publisher: PublisherUnderTest) -> None:
    assert publisher.port.publish([message(1)], always) == publisher.port.publish([message(1)], always)
    assert len(publisher.received()) == 2


def test_an_unavailable_bus_is_a_fault(publisher: PublisherUnderTest) -> None:
    publisher.go_down()
    with pytest.raises(ExternalServiceError) as caught:
        publisher.port.publish([message(1)], always)
    assert caught.value.service == "EventBridge"
