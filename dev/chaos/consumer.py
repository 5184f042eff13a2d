"""The downstream consumer: receives every event from the outbound bus and counts its deliveries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from dev.chaos.environment import Environment
    from dev.chaos.worker_threads import WorkerThreads


@dataclass
class ReceivedEvent:
    """One event as it was first delivered; `is_identical` tells whether later deliveries were the same."""

    event_id: str
    detail_type: str
    data: dict[str, Any]
    deliveries: int = 1
    is_identical: bool = True


@dataclass
class Consumer:
    """Collects events by event id, as a consumer that deduplicates does."""

    environment: Environment
    threads: WorkerThreads
    received: dict[str, ReceivedEvent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sqs = self.environment.sqs()

    def poll(self) -> None:
        """Receive once from the queue behind the outbound bus."""
        queue = self.environment.outbound_queue
        try:
            answer = self._sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self._collect(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        except (BotoCoreError, ClientError):
            self.threads.wait(0.5)

    def _collect(self, event: dict[str, Any]) -> None:
        event_id, data = event["detail"]["metadata"]["event_id"], event["detail"]["data"]
        known = self.received.get(event_id)
        if known is None:
            self.received[event_id] = ReceivedEvent(event_id, event["detail-type"], data)
            return
        known.deliveries += 1
        known.is_identical &= (event["detail-type"], data) == (known.detail_type, known.data)
