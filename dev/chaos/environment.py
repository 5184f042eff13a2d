"""The servers, queues and buses of an experiment, laid out as template.yaml says."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from dev.deploy.template import QueueDefinition, Template
from dev.programs.lifecycle import Lifecycle
from dev.programs.tools import REGION
from dev.servers.lambda_runtime import LambdaRuntime
from dev.servers.local_aws import LocalAws
from dev.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_sqs.client import SQSClient

    from dev.chaos.redis_topologies import RedisTopology

INBOUND_BUS, OUTBOUND_BUS = "essays", "announcements"
PARAMETERS = {"InboundBusName": INBOUND_BUS, "OutboundBusName": OUTBOUND_BUS, "ParkingSeconds": "20"}
# Shorter than in a deployment, so that a frozen server outlasts a function and retries come soon. A function
# still runs longer than any time limit of the stores.
FUNCTION_SECONDS = 12
CONFIG = Config(max_pool_connections=50, connect_timeout=2, read_timeout=10, retries={"max_attempts": 2})


@dataclass
class Queue:
    """A queue of the local AWS."""

    name: str
    url: str
    arn: str


@dataclass
class SourceQueue(Queue):
    """A queue that feeds a function, as the template says, with its dead-letter queue."""

    definition: QueueDefinition
    dead_letter_queue: Queue


@dataclass
class Environment(Lifecycle):
    """Stores, a local AWS and the settings of the functions."""

    redis: RedisTopology
    built: Path
    function_seconds: int = FUNCTION_SECONDS  # for a function to run, and until a failed message is retried
    template: Template = field(default_factory=lambda: Template.read(PARAMETERS))
    postgres: PostgresServer = field(default_factory=PostgresServer)
    aws: LocalAws = field(default_factory=LocalAws)
    source_queues: dict[str, SourceQueue] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def _open(self) -> None:
        self._stack.enter_context(self.postgres)
        self._stack.enter_context(self.redis)
        self._stack.enter_context(self.aws)
        self._create_queues()
        self._migrate()

    def close(self) -> None:
        """Stop every server."""
        self._stack.close()

    @property
    def queues(self) -> list[Queue]:
        """Return the queues in which messages may wait: those of the functions and the outbound one."""
        return [*self.source_queues.values(), self.outbound_queue]

    def settings(self, function: str) -> dict[str, str]:
        """Return the environment variables of a function, as the template gives them."""
        dead_letter_queues = [queue.dead_letter_queue for queue in self.source_queues.values()]
        values = {
            "DatabaseUrl": self.postgres.url,
            "RedisUrl": self.redis.url,
            "RedisCluster": "true" if self.redis.is_cluster else "false",
            **{queue.name: queue.url for queue in dead_letter_queues},
        }
        variables = self.template.given(values).environment(function)
        return {**variables, "AWS_ENDPOINT_URL": self.aws.endpoint}

    def runtime(self, function: str) -> LambdaRuntime:
        """Return one instance of a function, not started."""
        return LambdaRuntime(self.built, function, self.settings(function), self.function_seconds)

    def sqs(self) -> SQSClient:
        """Return a client of the queues, for one thread."""
        return self._session().client("sqs", endpoint_url=self.aws.endpoint, config=CONFIG)

    def events(self) -> EventBridgeClient:
        """Return a client of the buses, for one thread."""
        return self._session().client("events", endpoint_url=self.aws.endpoint, config=CONFIG)

    def set_redelivery(self, visibility_seconds: int, max_receive_count: int) -> None:
        """Change after how long a failed message is retried, and how often before it is a dead letter."""
        for queue in self.source_queues.values():
            attributes = self._attributes(queue.definition, queue.dead_letter_queue, max_receive_count)
            self._set_attributes(queue, attributes | {"VisibilityTimeout": str(visibility_seconds)})

    def reset_redelivery(self) -> None:
        """Undo `set_redelivery`."""
        for queue in self.source_queues.values():
            self._set_attributes(queue, self._attributes(queue.definition, queue.dead_letter_queue))

    def depth(self, sqs: SQSClient, queue: Queue) -> int:
        """Return how many messages are in a queue, in flight included."""
        answer = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
        return int(answer["ApproximateNumberOfMessages"]) + int(
            answer["ApproximateNumberOfMessagesNotVisible"]
        )

    def _session(self) -> boto3.session.Session:
        """Return a session, for one thread: clients may be shared, sessions may not."""
        return boto3.session.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the local AWS checks none
            region_name=REGION,
        )

    def _create_queues(self) -> None:
        """Create the buses, and the queues, dead-letter queues and rules of the template."""
        sqs, events = self.sqs(), self.events()
        for bus in (INBOUND_BUS, OUTBOUND_BUS):
            events.create_event_bus(Name=bus)
        for source in self.template.source_queues():
            dead_letter_queue = _create_queue(
                sqs, source.dead_letter_queue, self.template.queue_attributes(source.dead_letter_queue)
            )
            queue = _create_queue(sqs, source.name, self._attributes(source, dead_letter_queue))
            _route(events, INBOUND_BUS, source.event_pattern, queue)
            self.source_queues[source.name] = SourceQueue(
                queue.name, queue.url, queue.arn, source, dead_letter_queue
            )
        self.outbound_queue = _create_queue(sqs, "OutboundQueue", self._visibility)
        _route(events, OUTBOUND_BUS, {"source": ["els"]}, self.outbound_queue)

    def _attributes(
        self, source: QueueDefinition, dead_letter_queue: Queue, max_receive_count: int | None = None
    ) -> dict[str, str]:
        policy = {
            "deadLetterTargetArn": dead_letter_queue.arn,
            "maxReceiveCount": max_receive_count or source.max_receive_count,
        }
        attributes = self.template.queue_attributes(source.name)
        return {**attributes, **self._visibility, "RedrivePolicy": json.dumps(policy)}

    @property
    def _visibility(self) -> dict[str, str]:
        return {"VisibilityTimeout": str(self.function_seconds)}

    def _set_attributes(self, queue: Queue, attributes: Any) -> None:
        self.sqs().set_queue_attributes(QueueUrl=queue.url, Attributes=attributes)

    def _migrate(self) -> None:
        with self.runtime("MigrateDatabaseFunction") as runtime:
            runtime.invoke({})


def _create_queue(sqs: SQSClient, name: str, attributes: Any) -> Queue:
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Queue(name, url, arn)


def _route(events: EventBridgeClient, bus: str, pattern: Mapping[str, Any], queue: Queue) -> None:
    events.put_rule(Name=queue.name, EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=queue.name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
