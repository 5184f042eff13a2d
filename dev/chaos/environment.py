"""The local world of a chaos run: stores, queues with dead letters, buses with rules, and the settings."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config

from dev.programs.tools import REGION
from dev.servers.lambda_runtime import LambdaRuntime
from dev.servers.local_aws import LocalAws
from dev.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from dev.chaos.redis_topologies import Store

FUNCTION_SECONDS = 12  # above every time limit of the stores
VISIBILITY_SECONDS = 12
RECEIVES = 100
PARKING_SECONDS = 20
INBOUND, OUTBOUND = "essays", "announcements"
PATTERNS = {
    "register": (INBOUND, {"detail-type": ["BatchEssaysRegistered"]}),
    "provision": (INBOUND, {"detail-type": ["EssayContentProvisioned", "EssayValidationFailed"]}),
    "heard": (OUTBOUND, {"source": ["els"]}),
}
CONFIG = Config(max_pool_connections=50, connect_timeout=2, read_timeout=10, retries={"max_attempts": 2})


@dataclass
class Queue:
    """A queue and, for those that feed a function, its dead letters."""

    name: str
    url: str
    arn: str
    dead_letters: Queue | None = None


@dataclass
class World:
    """Everything that a run stands on; a context manager that leaves nothing behind."""

    store: Store
    built: Path
    postgres: PostgresServer = field(default_factory=PostgresServer)
    aws: LocalAws = field(default_factory=LocalAws)
    queues: dict[str, Queue] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.postgres)
            self._stack.enter_context(self.store)
            self._stack.enter_context(self.aws)
            self._lay_pipes()
            self._migrate()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def settings(self, queue: str | None = None) -> dict[str, str]:
        """Return the environment of a function, with its dead-letter queue if a queue feeds it."""
        dead_letters = self.queues[queue].dead_letters if queue else None
        return {
            "ELS_DATABASE_URL": self.postgres.url,
            "ELS_REDIS_URL": self.store.url,
            "ELS_REDIS_CLUSTER": "true" if self.store.is_cluster else "false",
            "ELS_EVENT_BUS": OUTBOUND,
            "ELS_PARKING_SECONDS": str(PARKING_SECONDS),
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            **({"ELS_DEAD_LETTER_QUEUE_URL": dead_letters.url} if dead_letters else {}),
        }

    def runtime(self, function: str, queue: str | None = None) -> LambdaRuntime:
        """Return one instance of a function, not started."""
        return LambdaRuntime(self.built, function, self.settings(queue), FUNCTION_SECONDS)

    def sqs(self) -> SQSClient:
        """Return a client of the queues, for one thread."""
        return self._session().client("sqs", endpoint_url=self.aws.endpoint, config=CONFIG)

    def events(self) -> EventBridgeClient:
        """Return a client of the buses, for one thread."""
        return self._session().client("events", endpoint_url=self.aws.endpoint, config=CONFIG)

    def be_patient(self, visibility_seconds: int = VISIBILITY_SECONDS, receives: int = RECEIVES) -> None:
        """Say how soon what failed comes again, and how often before it is dead."""
        sqs = self.sqs()
        for queue in self.queues.values():
            if queue.dead_letters:
                attributes = _attributes(queue.dead_letters, visibility_seconds, receives)
                sqs.set_queue_attributes(QueueUrl=queue.url, Attributes=attributes)

    def depth(self, sqs: SQSClient, queue: Queue) -> int:
        """Return how many messages are in a queue, in flight included."""
        held = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
        return int(held["ApproximateNumberOfMessages"]) + int(held["ApproximateNumberOfMessagesNotVisible"])

    def _session(self) -> boto3.session.Session:
        """Return a session, for one thread: clients may be shared, sessions may not."""
        return boto3.session.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the local AWS checks none
            region_name=REGION,
        )

    def _lay_pipes(self) -> None:
        """Make queues, buses and rules with the properties that the template gives them."""
        sqs, events = self.sqs(), self.events()
        for bus in (INBOUND, OUTBOUND):
            events.create_event_bus(Name=bus)
        for name, (bus, pattern) in PATTERNS.items():
            dead = _make_queue(sqs, f"{name}-dead-letters") if bus == INBOUND else None
            queue = self.queues[name] = _make_queue(sqs, name, dead)
            events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
            events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])

    def _migrate(self) -> None:
        with self.runtime("MigrateDatabaseFunction") as runtime:
            runtime.invoke({})


def _make_queue(sqs: SQSClient, name: str, dead_letters: Queue | None = None) -> Queue:
    attributes = _attributes(dead_letters, VISIBILITY_SECONDS, RECEIVES)
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Queue(name, url, arn, dead_letters)


def _attributes(
    dead_letters: Queue | None, visibility_seconds: int, receives: int
) -> dict[QueueAttributeNameType, str]:
    attributes: dict[QueueAttributeNameType, str] = {
        "VisibilityTimeout": str(visibility_seconds),
        "MessageRetentionPeriod": "1209600",
    }
    if dead_letters:
        policy = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives}
        attributes["RedrivePolicy"] = json.dumps(policy)
    return attributes
