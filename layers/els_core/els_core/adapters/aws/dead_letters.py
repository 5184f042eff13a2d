"""Looks into dead-letter queues, and puts their messages back.

Not with StartMessageMoveTask: it moves all messages or none, and does not say when it is done.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from els_core.adapters.aws.client_errors import error_code_of
from els_core.application.ports.dead_letters import QueueView, StoredDeadLetter
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from els_core.application.budgets import MayContinue

MAX_ENTRIES = 10


class SqsDeadLetters:
    """The port `DeadLetters`; queues and their dead-letter queues are URLs under the same names."""

    def __init__(
        self, client: SQSClient, queues: Mapping[str, str], dead_letter_queues: Mapping[str, str]
    ) -> None:
        self._client = client
        self._queues = queues
        self._dead_letter_queues = dead_letter_queues

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the queues."""
        return list(self._dead_letter_queues)

    def look(self, names: Sequence[str]) -> list[QueueView]:
        """Receive up to ten messages of each queue, which stay visible for everybody else."""
        return [
            QueueView(name, self.count(name), [_letter(name, found) for found in self._receive(name, 0)])
            for name in names
        ]

    def count(self, name: str) -> int:
        """Ask for the number of messages."""
        with _faults("read queue attributes"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._dead_letter_queues[name], AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def redrive(self, name: str, max_count: int, may_continue: MayContinue) -> int:
        """Send and delete message by message, until none comes, enough were moved, or time runs short.

        Not more than there were: a message that can never succeed comes back while this runs.
        """
        moved = 0
        while moved < max_count and may_continue():
            found = self._receive(name, 30, min(MAX_ENTRIES, max_count - moved))
            if not found:
                break
            for message in found:
                self._move(name, message)
                moved += 1
        return moved

    def _move(self, name: str, message: MessageTypeDef) -> None:
        with _faults("redrive a dead letter"):
            self._client.send_message(QueueUrl=self._queues[name], MessageBody=message["Body"])
            self._client.delete_message(
                QueueUrl=self._dead_letter_queues[name], ReceiptHandle=message["ReceiptHandle"]
            )

    def _receive(
        self, name: str, hidden_seconds: int, max_entries: int = MAX_ENTRIES
    ) -> Sequence[MessageTypeDef]:
        with _faults("receive dead letters"):
            answer = self._client.receive_message(
                QueueUrl=self._dead_letter_queues[name],
                MaxNumberOfMessages=max_entries,
                VisibilityTimeout=hidden_seconds,
                WaitTimeSeconds=1,  # asks all servers, so that a short queue does not look empty
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return answer.get("Messages", [])


@contextmanager
def _faults(operation: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ExternalServiceError(operation, service="SQS", details=error_code_of(error)) from error


def _letter(queue: str, message: MessageTypeDef) -> StoredDeadLetter:
    attributes = message.get("MessageAttributes", {})
    system = message.get("Attributes", {})
    sent = datetime.fromtimestamp(int(system.get("SentTimestamp", "0")) / 1_000, UTC)
    return StoredDeadLetter(
        queue,
        message["MessageId"],
        message["Body"],
        int(system.get("ApproximateReceiveCount", "1")),
        sent,
        {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value},
    )
