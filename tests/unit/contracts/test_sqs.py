"""The shapes that SQS and Lambda prescribe for messages and for a partial batch response."""

from __future__ import annotations

from datetime import UTC, datetime

from els_core.application.messages import QueueMessage
from els_core.contracts.sqs import messages_of, partial_batch_response


def test_messages_keep_their_ids_bodies_and_order() -> None:
    records = [
        {"messageId": "2", "body": "{}", "receiptHandle": "r", "attributes": {}},
        {"messageId": "1", "body": "[]", "attributes": {"SentTimestamp": "1769860800123"}},
    ]
    sent_at = datetime(2026, 1, 31, 12, 0, 0, 123_000, UTC)
    assert messages_of({"Records": records}) == [QueueMessage("2", "{}"), QueueMessage("1", "[]", sent_at)]


def test_a_response_names_the_messages_that_are_retried() -> None:
    assert partial_batch_response(["1", "2"]) == {
        "batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]
    }


def test_a_response_without_failures_acknowledges_every_message() -> None:
    assert partial_batch_response([]) == {"batchItemFailures": []}
