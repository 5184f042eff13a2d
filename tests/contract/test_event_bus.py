"""What the port `Publisher` promises: on the fake, and with boto3 on an EventBridge in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.domain.errors import ExternalServiceError
from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from tests.contract.buses import BusUnderTest


def message(number: int) -> OutboxMessage:
    return OutboxMessage(UUID(int=number), "b", f"Kind{number}", json.dumps({"number": number}))


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_every_message_that_the_bus_took_is_named(bus: BusUnderTest, count: int) -> None:
    messages = [message(number) for number in range(count)]
    assert bus.port.publish(messages) == [one.event_id for one in messages]
    assert sorted(bus.received()) == sorted((one.detail_type, one.detail) for one in messages)


def test_the_same_message_again_is_sent_again(bus: BusUnderTest) -> None:
    assert bus.port.publish([message(1)]) == bus.port.publish([message(1)])
    assert len(bus.received()) == 2


def test_a_bus_that_took_nothing_is_a_fault(bus: BusUnderTest) -> None:
    bus.go_down()
    with pytest.raises(ExternalServiceError) as caught:
        bus.port.publish([message(1)])
    assert caught.value.service == "EventBridge"
