"""The connections of a process to its stores and to AWS, each made on first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from els_core.adapters.aws.dead_letter_queue import SqsDeadLetterQueue
from els_core.adapters.aws.dead_letters import SqsDeadLetters
from els_core.adapters.aws.event_bus import EventBridgeProbe
from els_core.adapters.aws.iam_tokens import postgres_password, redis_credentials
from els_core.adapters.aws.queue_reader import SqsQueueReader
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.personal_data import PostgresPersonalData
from els_core.adapters.postgres.reader import PostgresReader
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.session import Session
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.telemetry.store_calls import postgres_calls, redis_calls
from els_core.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient
    from redis import Redis
    from redis.cluster import RedisCluster
    from sqlalchemy import Engine

    from els_core.application.ports.dead_letters import DeadLetters
    from els_core.application.ports.health import QueueReader
    from els_core.application.ports.messaging import DeadLetterQueue, EventBusProbe
    from els_core.application.ports.personal_data import PersonalData
    from els_core.application.ports.reading import Reader
    from els_core.settings import Settings

# A hanging call must fail well within a function's timeout; unsent events stay in the outbox.
AWS = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Connections:
    """The real adapters; they live as long as the Lambda execution environment."""

    settings: Settings

    @cached_property
    def repository(self) -> PostgresRepository:
        """Return the repository."""
        return PostgresRepository(self.session)

    @cached_property
    def session(self) -> Session:
        """Return the session on Postgres."""
        engine = self.connect_postgres(self.settings.database_url)
        return Session(engine, named=self.settings.named_statements, observe=postgres_calls)

    @cached_property
    def redis(self) -> Redis | RedisCluster:
        """Return the Redis client."""
        url = self.settings.redis_url
        return connect_redis(url, cluster=self.settings.redis_cluster, credentials=redis_credentials(url))

    @cached_property
    def coordinator(self) -> RedisCoordinator:
        """Return the coordinator."""
        return RedisCoordinator(self.redis, self.settings.retention, redis_calls)

    def close(self) -> None:
        """Close all connections. Lambda never calls this."""
        self.session.close()
        self.redis.close()

    @cached_property
    def event_bridge(self) -> EventBridgeClient:
        """Return the EventBridge client."""
        return boto3.client("events", config=AWS)

    @property
    def bus_probe(self) -> EventBusProbe:
        """Return the check that the outbound bus exists."""
        return EventBridgeProbe(self.event_bridge, self.settings.required_event_bus)

    @property
    def queue_reader(self) -> QueueReader:
        """Return what counts the messages of the queues."""
        return SqsQueueReader(
            self.sqs, self.settings.required_queue_urls, self.settings.required_dead_letter_queue_urls
        )

    @cached_property
    def sqs(self) -> SQSClient:
        """Return the SQS client."""
        return boto3.client("sqs", config=AWS)

    @cached_property
    def dead_letter_queue(self) -> DeadLetterQueue:
        """Return the dead-letter queue of the function's own queue."""
        return SqsDeadLetterQueue(self.sqs, self.settings.required_dead_letter_queue_url)

    @property
    def dead_letters(self) -> DeadLetters:
        """Return the dead-letter queues."""
        return SqsDeadLetters(
            self.sqs,
            self.settings.required_queue_urls,
            self.settings.required_dead_letter_queue_urls,
        )

    @property
    def personal_data(self) -> PersonalData:
        """Return the personal data of batches."""
        return PostgresPersonalData(self.session)

    @cached_property
    def reader(self) -> Reader:
        """Return what people read; its statements are planned with their values, so they have no name."""
        return PostgresReader(Session(self.session.engine, named=False, observe=postgres_calls))

    def connect_postgres(self, url: str, *, is_patient: bool = False) -> Engine:
        """Return an engine; a patient one waits for locks as long as the server lets it."""
        return connect(url, postgres_password(url), is_patient=is_patient)
