"""The publisher and the dead-letter queue under test: the fakes, and the real adapters on moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import boto3

from els_core.adapters.aws.dead_letter_queue import SqsDeadLetterQueue
from els_core.adapters.aws.event_bus import SOURCE, EventBridgePublisher
from els_core.adapters.aws.put_events import PutEventsClient
from tests.fakes.bus import FakeBus
from tests.fakes.queues import FakeDeadLetterQueue

if TYPE_CHECKING:
    from els_core.application.ports.messaging import DeadLetterQueue, Publisher

REGION = "eu-north-1"


class PublisherUnderTest(Protocol):
    """A publisher whose bus a test can read."""

    @property
    def port(self) -> Publisher:
        """Return the port under test."""
        ...

    def received(self) -> list[tuple[str, str]]:
        """Return the accepted events as detail-type and detail."""
        ...

    def go_down(self) -> None:
        """Make the service unavailable."""
        ...


class FakePublisherUnderTest:
    """The fake."""

    def __init__(self) -> None:
        self.port = FakeBus()

    def received(self) -> list[tuple[str, str]]:
        return [(message.detail_type, message.detail) for message in self.port.accepted]

    def go_down(self) -> None:
        self.port.is_down = True


class EventBridgePublisherUnderTest:
    """The real publisher on moto's EventBridge, with a rule that sends every event to a queue."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs", region_name=REGION)
        self._events = boto3.client("events", region_name=REGION)
        self._url = self._sqs.create_queue(QueueName="listener")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._events.create_event_bus(Name="outbound")
        pattern = json.dumps({"source": [SOURCE]})
        self._events.put_rule(Name="all", EventBusName="outbound", EventPattern=pattern)
        arn = attributes["Attributes"]["QueueArn"]
        self._events.put_targets(
            Rule="all", EventBusName="outbound", Targets=[{"Id": "listener", "Arn": arn}]
        )
        self.port = EventBridgePublisher(PutEventsClient(self._events), "outbound")

    def received(self) -> list[tuple[str, str]]:
        bodies: list[str] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            bodies.extend(message["Body"] for message in messages)
        events = [json.loads(body) for body in bodies]
        return [(event["detail-type"], json.dumps(event["detail"])) for event in events]

    def go_down(self) -> None:
        self.port = EventBridgePublisher(
            PutEventsClient(boto3.client("events", region_name=REGION, endpoint_url="http://127.0.0.1:1")),
            "outbound",
        )


class DeadLetterQueueUnderTest(Protocol):
    """A dead-letter queue that a test can read."""

    @property
    def port(self) -> DeadLetterQueue:
        """Return the port under test."""
        ...

    def received(self) -> list[tuple[str, dict[str, str]]]:
        """Return the bodies with their attributes."""
        ...

    def go_down(self) -> None:
        """Make the service unavailable."""
        ...


class FakeDeadLetterQueueUnderTest:
    """The fake."""

    def __init__(self) -> None:
        self.port = FakeDeadLetterQueue()

    def received(self) -> list[tuple[str, dict[str, str]]]:
        return [
            (
                letter.message.body,
                {
                    "error_code": letter.poison.error_code,
                    "field": letter.poison.field,
                    "reason": letter.poison.reason,
                },
            )
            for letter in self.port.letters
        ]

    def go_down(self) -> None:
        self.port.is_down = True


class SqsDeadLetterQueueUnderTest:
    """The real adapter on moto's SQS."""

    def __init__(self) -> None:
        self._client = boto3.client("sqs", region_name=REGION)
        self._url = self._client.create_queue(QueueName="dead")["QueueUrl"]
        self.port = SqsDeadLetterQueue(self._client, self._url)

    def received(self) -> list[tuple[str, dict[str, str]]]:
        found: list[tuple[str, dict[str, str]]] = []
        while messages := self._client.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                attributes = message["MessageAttributes"].items()
                found.append((message["Body"], {name: value["StringValue"] for name, value in attributes}))
        return found

    def go_down(self) -> None:
        client = boto3.client("sqs", region_name=REGION, endpoint_url="http://127.0.0.1:1")
        self.port = SqsDeadLetterQueue(client, "http://127.0.0.1:1/dead")
