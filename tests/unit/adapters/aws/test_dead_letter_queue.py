"""A dead letter that SQS rejects neither hides the accepted ones nor stops the following ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.aws.dead_letter_queue import SqsDeadLetterQueue
from els_core.application.messages import DeadLetter, PoisonMessage, QueueMessage
from els_core.domain.errors import ExternalServiceError
from tests.unit.adapters.aws.clients import SqsClient, client_error, unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence


def letters(count: int, body: str = "{") -> list[DeadLetter]:
    poison = PoisonMessage("INVALID_JSON", "body", "å" * 2_000)
    return [DeadLetter(QueueMessage(f"m{n}", body), poison) for n in range(count)]


def send(client: Any, sent: Sequence[DeadLetter]) -> list[str]:
    return SqsDeadLetterQueue(client, "queue").send(sent)


def test_dead_letters_are_grouped_by_entries_and_bytes() -> None:
    client = SqsClient()
    assert len(send(client, letters(23) + letters(5, "å" * 150_000))) == 28
    assert [len(call) for call in client.calls] == [10, 10, 6, 2]


def test_a_call_that_sqs_rejects_stops_no_other_call() -> None:
    client = SqsClient(fails=lambda call: client_error("InvalidMessageContents") if call == 2 else None)
    assert send(client, letters(30)) == [f"m{n}" for n in (*range(10), *range(20, 30))]


def test_an_unreachable_queue_is_called_once_and_earlier_calls_count() -> None:
    client = SqsClient(fails=lambda call: unreachable() if call == 2 else None)
    assert send(client, letters(40)) == [f"m{n}" for n in range(10)]
    assert len(client.calls) == 2


def test_a_queue_that_accepts_nothing_is_a_fault() -> None:
    client = SqsClient(fails=lambda _: client_error("AWS.SimpleQueueService.NonExistentQueue"))
    with pytest.raises(ExternalServiceError, match="SQS"):
        send(client, letters(3))
