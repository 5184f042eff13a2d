"""The shape in which SQS hands records to a function, and the one in which it is answered.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Iterable
from typing import Any

from els_core.application.messages import QueueMessage


def records_of(event: dict[str, Any]) -> list[QueueMessage]:
    """Return the records of an SQS event."""
    return [QueueMessage(record["messageId"], record["body"]) for record in event["Records"]]


def partial_response(batch_item_failures: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Answer SQS: the messages that come back; all others are acknowledged."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch_item_failures]}
