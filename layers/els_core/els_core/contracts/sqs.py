"""The SQS event of a function, and its partial batch response.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from els_core.application.messages import QueueMessage


def messages_of(event: dict[str, Any]) -> list[QueueMessage]:
    """Return the messages of an SQS event."""
    return [
        QueueMessage(record["messageId"], record["body"], _sent_at(record.get("attributes", {})))
        for record in event["Records"]
    ]


def partial_batch_response(batch_item_failures: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return the messages that SQS delivers again; all others are acknowledged and deleted."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch_item_failures]}


def _sent_at(attributes: dict[str, str]) -> datetime | None:
    """Return when the queue took a message; `SentTimestamp` is in milliseconds."""
    sent = attributes.get("SentTimestamp")
    return datetime.fromtimestamp(int(sent) / 1_000, UTC) if sent else None
