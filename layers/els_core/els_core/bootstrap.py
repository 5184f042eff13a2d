"""The composition root. Everything is built on first use, nothing at import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from els_core.adapters.aws.dead_letter_queue import SqsDeadLetterQueue
from els_core.adapters.aws.event_bus import EventBridgePublisher
from els_core.adapters.aws.iam_tokens import postgres_password, redis_credentials
from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.audit_reader import PostgresAuditReader
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.schema_upgrade import upgrade
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.telemetry.tracing import linking, traceparent
from els_core.application.audit_batches import WINDOW, AuditBatches
from els_core.application.batch_status import BatchStatus
from els_core.application.decision_step import StoreRejection
from els_core.application.expire_batches import ExpireBatches
from els_core.application.message_consumer import MessageConsumer
from els_core.application.messages import PoisonMessage
from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent, ProvisioningResult
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch, RegistrationResult
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.contracts.inbound import parse_arrival, parse_registration
from els_core.settings import read_settings

if TYPE_CHECKING:
    from datetime import timedelta

    from redis import Redis
    from redis.cluster import RedisCluster
    from sqlalchemy import Engine

    from els_core.application.ports.messaging import DeadLetterQueue
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration
    from els_core.settings import Settings

# A hanging call must fail well within a function's timeout; unsent events stay in the outbox.
AWS = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Container:
    """Builds the use cases on the real adapters; lives as long as its Lambda execution environment."""

    settings: Settings

    @cached_property
    def repository(self) -> PostgresRepository:
        """Return the repository."""
        return PostgresRepository(self._connect_postgres())

    @cached_property
    def redis(self) -> Redis | RedisCluster:
        """Return the Redis client."""
        url = self.settings.redis_url
        return connect_redis(url, cluster=self.settings.redis_cluster, credentials=redis_credentials(url))

    @cached_property
    def coordinator(self) -> RedisCoordinator:
        """Return the coordinator."""
        return RedisCoordinator(self.redis, self.settings.retention)

    def close(self) -> None:
        """Close all connections. Lambda never calls this."""
        self.repository.close()
        self.redis.close()

    @cached_property
    def post_commit(self) -> PostCommit:
        """Return the step that follows a commit."""
        return PostCommit(
            self.coordinator,
            self.repository,
            EventBridgePublisher(boto3.client("events", config=AWS), self.settings.event_bus),
            SystemClock(),
        )

    @cached_property
    def encoder(self) -> JsonEventEncoder:
        """Return the encoder of events."""
        return JsonEventEncoder(traceparent=traceparent)

    @cached_property
    def dead_letter_queue(self) -> DeadLetterQueue:
        """Return the dead-letter queue of the function's own queue."""
        return SqsDeadLetterQueue(boto3.client("sqs", config=AWS), self.settings.dead_letter_queue_url)

    def register_batch(self) -> MessageConsumer[Registration, RegistrationResult]:
        """Return the consumer of its queue."""
        default = self.settings.default_timeout_seconds
        return MessageConsumer(
            linking(lambda body: parse_registration(body, default)),
            RegisterBatch(self.post_commit, self.encoder).register,
            lambda report: [_poison(answer) for answer in report.answers],
            self.dead_letter_queue,
        )

    def provision_content(self) -> MessageConsumer[Arrival, ProvisioningResult]:
        """Return the consumer of its queue."""
        return MessageConsumer(
            linking(parse_arrival),
            ProvisionContent(self.post_commit, self.encoder).provision,
            lambda report: [_poison(outcome) for outcome in report.outcomes],
            self.dead_letter_queue,
        )

    def expire_batches(self) -> ExpireBatches:
        """Return the use case."""
        return ExpireBatches(self.post_commit, self.encoder, self.settings.parking, self.settings.retention)

    def publish_outbox(self) -> PublishOutbox:
        """Return the use case."""
        return PublishOutbox(self.post_commit)

    def audit_batches(self, window: timedelta = WINDOW) -> AuditBatches:
        """Return the use case; it checks batches that were closed within `window`."""
        return AuditBatches(
            PostgresAuditReader(self.repository.engine),
            self.coordinator,
            self.coordinator,
            SystemClock(),
            self.expire_batches,
            self.publish_outbox,
            self.settings.parking,
            window,
        )

    def batch_status(self) -> BatchStatus:
        """Return the use case."""
        return BatchStatus(self.repository)

    def migrate_database(self) -> str:
        """Upgrade the schema to the newest revision and return it; a schema of newer code stays as it is."""
        return upgrade(self._connect_postgres(has_timeout=False))

    def _connect_postgres(self, *, has_timeout: bool = True) -> Engine:
        url = self.settings.database_url
        return connect_postgres(url, postgres_password(url), has_timeout=has_timeout)


@cache
def container() -> Container:
    """Return the container of this process; raise `SettingsError` if a setting is missing or wrong."""
    return Container(read_settings())


def _poison(answer: object) -> PoisonMessage | None:
    return (
        PoisonMessage("REJECTED_BY_STORE", "data", answer.reason)
        if isinstance(answer, StoreRejection)
        else None
    )
