"""The composition root. Everything is built on first use, nothing at import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from els_core.adapters.aws.dead_letter_queue import SqsDeadLetterQueue
from els_core.adapters.aws.event_bus import EventBridgeProbe, EventBridgePublisher
from els_core.adapters.aws.iam_tokens import postgres_password, redis_credentials
from els_core.adapters.aws.put_events import PutEventsClient
from els_core.adapters.aws.queue_reader import SqsQueueReader
from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.audit_reader import PostgresAuditReader
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.connection import user_of
from els_core.adapters.postgres.health_reader import PostgresHealthReader
from els_core.adapters.postgres.personal_data import PostgresPersonalData
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.session import Session
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.telemetry.store_calls import event_bus_sends, postgres_calls, redis_calls
from els_core.adapters.telemetry.tracing import linking, traceparent
from els_core.application.announce_batch import AnnounceBatch
from els_core.application.audit_batches import WINDOW, AuditBatches
from els_core.application.batch_status import BatchStatus
from els_core.application.check_health import CheckHealth
from els_core.application.erase_batches import EraseBatches
from els_core.application.expire_batches import ExpireBatches
from els_core.application.message_consumer import MessageConsumer
from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent, ProvisioningResult
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch, RegistrationResult
from els_core.application.steer_batch import SteerBatch, SteeringResult
from els_core.application.verdicts import verdicts
from els_core.contracts.commands import parse_command
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.contracts.inbound import parse_arrival, parse_registration
from els_core.domain.errors import EventBusMissingError
from els_core.settings import read_settings

if TYPE_CHECKING:
    from datetime import timedelta

    from mypy_boto3_events import EventBridgeClient
    from redis import Redis
    from redis.cluster import RedisCluster
    from sqlalchemy import Engine

    from els_core.application.commands import CommandRequest
    from els_core.application.ports.messaging import DeadLetterQueue, EventBusProbe
    from els_core.application.ports.personal_data import PersonalData
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
        return PostgresRepository(self.session)

    @cached_property
    def session(self) -> Session:
        """Return the session on Postgres."""
        engine = self._connect_postgres(self.settings.database_url)
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
    def post_commit(self) -> PostCommit:
        """Return the step that follows a commit."""
        return PostCommit(
            self.coordinator,
            self.repository,
            EventBridgePublisher(
                PutEventsClient(self.event_bridge), self.settings.required_event_bus, event_bus_sends
            ),
            SystemClock(),
        )

    @cached_property
    def event_bridge(self) -> EventBridgeClient:
        """Return the EventBridge client."""
        return boto3.client("events", config=AWS)

    @property
    def bus_probe(self) -> EventBusProbe:
        """Return the check that the outbound bus exists."""
        return EventBridgeProbe(self.event_bridge, self.settings.required_event_bus)

    @cached_property
    def encoder(self) -> JsonEventEncoder:
        """Return the encoder of events."""
        return JsonEventEncoder(traceparent=traceparent)

    @cached_property
    def dead_letter_queue(self) -> DeadLetterQueue:
        """Return the dead-letter queue of the function's own queue."""
        return SqsDeadLetterQueue(
            boto3.client("sqs", config=AWS), self.settings.required_dead_letter_queue_url
        )

    def register_batch(self) -> MessageConsumer[Registration, RegistrationResult]:
        """Return the consumer of its queue."""
        default = self.settings.default_timeout_seconds
        return MessageConsumer(
            linking(lambda body: parse_registration(body, default)),
            RegisterBatch(self.post_commit, self.encoder).register,
            lambda report: verdicts(report.answers),
            self.dead_letter_queue,
            SystemClock(),
        )

    def provision_content(self) -> MessageConsumer[Arrival, ProvisioningResult]:
        """Return the consumer of its queue."""
        return MessageConsumer(
            linking(parse_arrival),
            ProvisionContent(self.post_commit, self.encoder).provision,
            lambda report: verdicts(report.outcomes),
            self.dead_letter_queue,
            SystemClock(),
        )

    def steer_batch(self) -> MessageConsumer[CommandRequest, SteeringResult]:
        """Return the consumer of its queue."""
        return MessageConsumer(
            linking(parse_command),
            SteerBatch(self.post_commit, self.encoder).steer,
            lambda report: verdicts(report.answers),
            self.dead_letter_queue,
            SystemClock(),
        )

    def expire_batches(self) -> ExpireBatches:
        """Return the use case."""
        return ExpireBatches(self.post_commit, self.encoder, self.settings.parking, self.settings.retention)

    def publish_outbox(self) -> PublishOutbox:
        """Return the use case."""
        return PublishOutbox(self.post_commit, self.bus_probe)

    def audit_batches(self, window: timedelta = WINDOW) -> AuditBatches:
        """Return the use case; it checks batches that were closed within `window`."""
        return AuditBatches(
            PostgresAuditReader(self.session),
            self.coordinator,
            self.coordinator,
            SystemClock(),
            self.expire_batches,
            self.publish_outbox,
            self.settings.parking,
            self.bus_probe if self.settings.event_bus else None,
            window,
        )

    def announce_batch(self) -> AnnounceBatch:
        """Return the use case."""
        return AnnounceBatch(self.post_commit, self.encoder)

    @property
    def personal_data(self) -> PersonalData:
        """Return the personal data of batches."""
        return PostgresPersonalData(self.session)

    def erase_batches(self) -> EraseBatches:
        """Return the use case."""
        return EraseBatches(self.personal_data, self.repository, self.coordinator, SystemClock())

    def batch_status(self) -> BatchStatus:
        """Return the use case."""
        return BatchStatus(self.repository)

    def check_health(self) -> CheckHealth:
        """Return the use case."""
        queues = SqsQueueReader(
            boto3.client("sqs", config=AWS),
            self.settings.required_queue_urls,
            self.settings.required_dead_letter_queue_urls,
        )
        return CheckHealth(
            PostgresHealthReader(self.session),
            self.coordinator,
            self.bus_probe,
            queues,
            self.repository.note_run,
        )

    def migrate_database(self) -> str:
        """Upgrade the schema to the newest revision and return it; a schema of newer code stays as it is.

        Where another role owns the schema, that of the functions is made, and may read and write rows.
        Raises `EventBusMissingError` before that if the outbound bus does not exist: a deployment that would
        lose its results must not succeed.
        """
        if self.settings.event_bus and not self.bus_probe.exists():
            raise EventBusMissingError("deploy", service="EventBridge")
        # Imported here, because no other function needs Alembic, which takes as long as all drivers together.
        from els_core.adapters.postgres.schema_upgrade import upgrade  # noqa: PLC0415

        url, owner_url = self.settings.database_url, self.settings.database_owner_url
        engine = self._connect_postgres(owner_url or url, is_patient=True)
        if owner_url is None or user_of(owner_url) == user_of(url):
            return upgrade(engine)
        return upgrade(engine, (user_of(url), postgres_password(url) is not None))

    def _connect_postgres(self, url: str, *, is_patient: bool = False) -> Engine:
        return connect_postgres(url, postgres_password(url), is_patient=is_patient)


@cache
def container() -> Container:
    """Return the container of this process; raise `SettingsError` if a setting is missing or wrong."""
    return Container(read_settings())
