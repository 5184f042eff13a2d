"""The contract of the port `DeadLetterQueue`: on the fake, and with boto3 on moto's SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.application.messages import DeadLetter, PoisonMessage, QueueMessage
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from tests.contract.messaging import DeadLetterQueueUnderTest

POISON = PoisonMessage("INVALID_FIELD", "detail.data.batch_id", "String should match the pattern")


@pytest.mark.parametrize("count", [1, 10, 11])
def test_original_bodies_are_sent_with_their_reasons(
    dead_letter_queue: DeadLetterQueueUnderTest, count: int
) -> None:
    letters = [DeadLetter(QueueMessage(f"m{n}", f"body {n}"), POISON) for n in range(count)]
    assert dead_letter_queue.port.send(letters) == [f"m{n}" for n in range(count)]
    found = sorted(dead_letter_queue.received(), key=str)
    assert [body for body, _ in found] == sorted(f"body {n}" for n in range(count))
    assert found[0][1] == {
        "error_code": "INVALID_FIELD",
        "field": "detail.data.batch_id",
        "reason": "String should match the pattern",
    }


def test_an_unavailable_queue_is_a_fault(dead_letter_queue: DeadLetterQueueUnderTest) -> None:
    dead_letter_queue.go_down()
    with pytest.raises(ExternalServiceError) as caught:
        dead_letter_queue.port.send([DeadLetter(QueueMessage("m", "body"), POISON)])
    assert caught.value.service == "SQS"
