"""Reads how many messages wait in queues.

The age of the oldest message is no attribute of a queue: SQS writes it to CloudWatch itself.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from els_core.adapters.aws.client_errors import error_code_of
from els_core.application.ports.health import QueueDepth
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient


class SqsQueueReader:
    """The port `QueueReader`; queues and dead-letter queues are given as URLs by name."""

    def __init__(
        self, client: SQSClient, queues: Mapping[str, str], dead_letter_queues: Mapping[str, str]
    ) -> None:
        self._client = client
        self._queues = [
            *((name, url, False) for name, url in queues.items()),
            *((name, url, True) for name, url in dead_letter_queues.items()),
        ]

    def depths(self) -> list[QueueDepth]:
        """Ask for the attributes of each queue; stop at the first one that cannot be read."""
        return [self._depth(name, url, is_dead=is_dead) for name, url, is_dead in self._queues]

    def _depth(self, name: str, url: str, *, is_dead: bool) -> QueueDepth:
        try:
            answer = self._client.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        except (BotoCoreError, ClientError) as error:
            details = f"{name}: {error_code_of(error)}"
            raise ExternalServiceError("read queue attributes", service="SQS", details=details) from error
        attributes = answer["Attributes"]
        return QueueDepth(
            name,
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
            is_dead,
        )
