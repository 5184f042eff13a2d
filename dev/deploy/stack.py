"""A deployed stack as its neighbours see it: upstream announces, somebody listens, a teacher asks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from localstack_client.session import Session
from urllib3 import request

from dev.programs.tools import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_sqs.client import SQSClient


def client_of(endpoint: str, service: str) -> Any:
    """Return a client of one service of a local AWS."""
    return Session(region_name=REGION, localstack_host=urlsplit(endpoint).netloc).client(service)


@dataclass(frozen=True)
class Stack:
    """What was deployed where."""

    endpoint: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Return a client of one service."""
        return client_of(self.endpoint, service)

    def status(self, batch_id: str) -> dict[str, Any]:
        """Ask the HTTP API where a batch stands; its routes are found by the host that is asked."""
        host = f"{self.outputs['ApiId']}.execute-api.localhost:{urlsplit(self.endpoint).port}"
        signed = AWSRequest("GET", f"{self.endpoint}/batches/{batch_id}", headers={"Host": host})
        SigV4Auth(Credentials("test", "test"), "execute-api", REGION).add_auth(signed)
        answer = request("GET", str(signed.url), headers=dict(signed.headers.items()), timeout=30)
        body: dict[str, Any] = answer.json()
        return body


@dataclass(frozen=True)
class Announcement:
    """One event of upstream; announced twice it is the same event, as at-least-once delivery makes it."""

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
        }
        detail = json.dumps({"metadata": metadata, "data": self.data})
        return {
            "EventBusName": bus,
            "Source": "file-service",
            "DetailType": self.detail_type,
            "Detail": detail,
        }


def announce(events: EventBridgeClient, bus: str, *announcements: Announcement) -> None:
    """Put events on the inbound bus, at most 10 per call; raise `OSError` when the bus refuses one."""
    for start in range(0, len(announcements), 10):
        entries: Any = [each.entry(bus) for each in announcements[start : start + 10]]
        if refused := events.put_events(Entries=entries)["FailedEntryCount"]:
            raise OSError(f"the bus {bus} refused {refused} of {len(entries)} events")


@dataclass(frozen=True)
class Heard:
    """One event as it came out on the outbound bus."""

    detail_type: str
    event_id: str
    data: dict[str, Any]


class Listener:
    """A queue behind a rule on the outbound bus: hears every event of ELS that is sent from now on."""

    def __init__(self, endpoint: str, bus: str) -> None:
        self._events: EventBridgeClient = client_of(endpoint, "events")
        self._sqs: SQSClient = client_of(endpoint, "sqs")
        self._bus = bus
        self._name = f"{bus}-heard"
        self._queue = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self._events.put_rule(Name=self._name, EventBusName=bus, EventPattern='{"source": ["els"]}')
        target = {"Id": "queue", "Arn": asked["Attributes"]["QueueArn"]}
        self._events.put_targets(Rule=self._name, EventBusName=bus, Targets=[target])

    def hear(self) -> Iterator[Heard]:
        """Yield what is there at the moment."""
        while messages := self._receive():
            yield from messages

    def close(self) -> None:
        """Remove the rule and the queue."""
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["queue"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._queue)

    def _receive(self) -> list[Heard]:
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        heard = []
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            detail = event["detail"]
            heard.append(Heard(event["detail-type"], detail["metadata"]["event_id"], detail["data"]))
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return heard
