"""A deployed stack from outside: publish inbound events, consume outbound ones, ask the HTTP API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from localstack_client.session import Session
from urllib3 import request

from dev.programs.tools import REGION, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_sqs.client import SQSClient


NOT_IMPLEMENTED = 501


def client_of(endpoint: str, service: str) -> Any:
    """Return a client of one service of a local AWS."""
    return Session(region_name=REGION, localstack_host=urlsplit(endpoint).netloc).client(service)


@dataclass(frozen=True)
class Stack:
    """The outputs of a deployed stack, and the endpoint of the AWS that runs it."""

    endpoint: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Return a client of one service."""
        return client_of(self.endpoint, service)

    def status(self, batch_id: str) -> dict[str, Any]:
        """Ask the HTTP API for the status of a batch; the local AWS routes by the Host header."""
        host = f"{self.outputs['ApiId']}.execute-api.localhost:{urlsplit(self.endpoint).port}"
        signed = AWSRequest("GET", f"{self.endpoint}/batches/{batch_id}", headers={"Host": host})
        SigV4Auth(Credentials("test", "test"), "execute-api", REGION).add_auth(signed)
        answer = request("GET", str(signed.url), headers=dict(signed.headers.items()), timeout=30)
        if answer.status == NOT_IMPLEMENTED:
            return self._invoke_status(batch_id)
        body: dict[str, Any] = answer.json()
        return body

    def _invoke_status(self, batch_id: str) -> dict[str, Any]:
        """Invoke the function of the route: the community edition of LocalStack has no HTTP APIs."""
        event = json.loads((ROOT / "events" / "batch_status.json").read_text("utf-8"))
        path = f"/batches/{batch_id}"
        event |= {"rawPath": path, "pathParameters": {"batch_id": batch_id}}
        event["requestContext"]["http"]["path"] = path
        function = self.outputs["BatchStatusFunction"]
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        body: dict[str, Any] = json.loads(json.loads(answer["Payload"].read())["body"])
        return body


@dataclass(frozen=True)
class Announcement:
    """One inbound event; publishing it twice repeats the same event, as at-least-once delivery does."""

    detail_type: str
    data: Mapping[str, Any]
    event_id: str = field(default_factory=lambda: str(uuid4()))
    occurred_at: str = "2026-01-31T12:00:00Z"

    def entry(self, bus: str) -> dict[str, str]:
        """Return the entry of PutEvents."""
        metadata = {
            "event_id": self.event_id,
            "correlation_id": self.event_id,
            "occurred_at": self.occurred_at,
            "source_service": "file-service",
            "schema_version": 1,
            # The trace of the producer, as if it were one of its own for each event.
            "traceparent": f"00-{UUID(self.event_id).hex}-{UUID(self.event_id).hex[16:]}-01",
        }
        detail = json.dumps({"metadata": metadata, "data": self.data})
        return {
            "EventBusName": bus,
            "Source": "file-service",
            "DetailType": self.detail_type,
            "Detail": detail,
        }


def announce(events: EventBridgeClient, bus: str, *announcements: Announcement) -> None:
    """Publish events on the inbound bus, at most 10 per call; raise `OSError` when the bus rejects one."""
    for start in range(0, len(announcements), 10):
        entries: Any = [each.entry(bus) for each in announcements[start : start + 10]]
        if rejected := events.put_events(Entries=entries)["FailedEntryCount"]:
            raise OSError(f"the bus {bus} rejected {rejected} of {len(entries)} events")


@dataclass(frozen=True)
class ReceivedEvent:
    """One event as a consumer receives it from the outbound bus."""

    detail_type: str
    event_id: str
    data: dict[str, Any]


def consumer_name(bus: str) -> str:
    """Return the name of the rule and the queue of a bus's consumer."""
    return f"{bus}-consumer"


class EventConsumer:
    """A queue behind a rule on the outbound bus: receives every event that ELS publishes from now on."""

    def __init__(self, endpoint: str, bus: str) -> None:
        self._events: EventBridgeClient = client_of(endpoint, "events")
        self._sqs: SQSClient = client_of(endpoint, "sqs")
        self._bus = bus
        self._name = consumer_name(bus)
        self._queue = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self._events.put_rule(Name=self._name, EventBusName=bus, EventPattern='{"source": ["els"]}')
        target = {"Id": "queue", "Arn": answer["Attributes"]["QueueArn"]}
        self._events.put_targets(Rule=self._name, EventBusName=bus, Targets=[target])

    def receive(self) -> Iterator[ReceivedEvent]:
        """Yield the events that are in the queue at the moment, and delete them from it."""
        while events := self._receive():
            yield from events

    def close(self) -> None:
        """Remove the rule and the queue."""
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["queue"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._queue)

    def _receive(self) -> list[ReceivedEvent]:
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        events = []
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            detail = event["detail"]
            received = ReceivedEvent(event["detail-type"], detail["metadata"]["event_id"], detail["data"])
            events.append(received)
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return events
