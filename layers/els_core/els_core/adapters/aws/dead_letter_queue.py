"""Sends poison messages to the dead-letter queue of the function's own queue, with the reason.

Limits: at most 10 messages and 1 MiB per call, attributes counted.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

    from els_core.application.messages import DeadLetter

MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
MAX_REASON = 500


class SqsDeadLetterQueue:
    """The port `DeadLetterQueue`."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Send the letters, also when SQS rejects one call; return the message ids that it accepted."""
        accepted: list[str] = []
        cause: Exception | None = None
        for group in _groups(letters):
            try:
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[_entry(position, letter) for position, letter in enumerate(group)],
                )
            except ClientError as error:
                cause = error  # only this call failed; the next ones may succeed
                continue
            except BotoCoreError as error:
                cause = error
                break  # SQS is unreachable, and every further call would time out as well
            sent = answer.get("Successful", [])
            accepted.extend(group[int(success["Id"])].message.message_id for success in sent)
        if cause is not None and not accepted:
            raise ExternalServiceError(
                "send dead letters", service="SQS", details=type(cause).__name__
            ) from cause
        return accepted


def _entry(position: int, letter: DeadLetter) -> SendMessageBatchRequestEntryTypeDef:
    poison = letter.poison
    return {
        "Id": str(position),
        "MessageBody": letter.message.body,
        "MessageAttributes": {
            "error_code": _text(poison.error_code),
            "field": _text(poison.field),
            "reason": _text(poison.reason),
        },
    }


def _text(value: str) -> MessageAttributeValueTypeDef:
    """Return a string attribute; SQS refuses an empty one."""
    return {"DataType": "String", "StringValue": value[:MAX_REASON] or "-"}


def _groups(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    group: list[DeadLetter] = []
    size = 0
    for letter in letters:
        entry = len(letter.message.body.encode(errors="surrogatepass")) + 2_000
        if group and (len(group) == MAX_ENTRIES or size + entry > MAX_BYTES):
            yield group
            group, size = [], 0
        group.append(letter)
        size += entry
    if group:
        yield group
