"""The SQS event of a function, and its partial batch response.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from els_core.application.messages import QueueMessage


class NoRecordsError(TypeError):
    """The event is not one of SQS."""


def messages_of(event: dict[str, Any]) -> list[QueueMessage]:
    """Return the messages of an SQS event; raise `NoRecordsError` for another event.

    A record without a body is a message that cannot be parsed. One without an id has the empty one, with
    which Lambda delivers the whole batch again if it must.
    """
    records = event.get("Records")
    if not isinstance(records, list):
        raise NoRecordsError("the event has no list of Records: invoke this function by its queue")
    return [_message(record if isinstance(record, dict) else {}) for record in records]


def partial_batch_response(batch_item_failures: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return the messages that SQS delivers again; all others are acknowledged and deleted."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch_item_failures]}


def _message(record: dict[str, Any]) -> QueueMessage:
    message_id, body = record.get("messageId"), record.get("body")
    return QueueMessage(
        message_id if isinstance(message_id, str) else "",
        body if isinstance(body, str) else "",
        _sent_at(record.get("attributes")),
    )


def _sent_at(attributes: object) -> datetime | None:
    """Return when the queue took a message; `SentTimestamp` is in milliseconds. It is for a metric only."""
    sent = attributes.get("SentTimestamp") if isinstance(attributes, dict) else None
    try:
        return datetime.fromtimestamp(int(sent) / 1_000, UTC) if sent else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
