"""Downstream: hears what the bus delivers, and how often."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from dev.chaos.environment import World
    from dev.chaos.worker_threads import Crew


@dataclass
class Heard:
    """One event: what it said the first time, how often it came, and whether it ever said something else."""

    detail_type: str
    data: dict[str, Any]
    times: int = 1
    is_steady: bool = True


@dataclass
class Listener:
    """Collects events by their ids; a repetition has the same id."""

    world: World
    crew: Crew
    heard: dict[str, Heard] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sqs = self.world.sqs()

    def listen(self) -> None:
        """Take in what the queue behind the outbound bus holds."""
        queue = self.world.queues["heard"]
        try:
            received = self._sqs.receive_message(
                QueueUrl=queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in received.get("Messages", []):
                self._note(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        except (BotoCoreError, ClientError):
            self.crew.pause(0.5)

    def _note(self, event: dict[str, Any]) -> None:
        event_id, data = event["detail"]["metadata"]["event_id"], event["detail"]["data"]
        known = self.heard.get(event_id)
        if known is None:
            self.heard[event_id] = Heard(event["detail-type"], data)
            return
        known.times += 1
        known.is_steady &= (event["detail-type"], data) == (known.detail_type, known.data)
