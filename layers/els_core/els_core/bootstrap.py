"""The one composition root: everything is built when it is first needed, nothing at import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from els_core.adapters.eventbridge.publisher import EventBridgePublisher
from els_core.adapters.iam.tokens import postgres_password, redis_credentials
from els_core.adapters.opentelemetry.tracing import linking, traceparent
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.ledger import PostgresLedger
from els_core.adapters.postgres.migrating import upgrade
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.sqs.dead_letters import SqsDeadLetters
from els_core.adapters.system.clock import SystemClock
from els_core.application.audit_batches import WINDOW, AuditBatches
from els_core.application.batch_status import BatchStatus
from els_core.application.delivering import Delivery
from els_core.application.expire_batches import ExpireBatches
from els_core.application.provision_content import ProvisionContent, Provisioned
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch, Registered
from els_core.application.settling import Refused
from els_core.application.taking_in import Intake, Poison
from els_core.contracts.encoding import JsonWire
from els_core.contracts.inbound import parse_arrival, parse_registration
from els_core.settings import read_settings

if TYPE_CHECKING:
    from datetime import timedelta

    from redis import Redis
    from redis.cluster import RedisCluster
    from sqlalchemy import Engine

    from els_core.application.ports import DeadLetters
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration
    from els_core.settings import Settings

# What hangs must show well within the time limit of a function; what could not be sent stays in the outbox.
AWS = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Service:
    """The use cases on the real adapters, kept for the life of a function copy."""

    settings: Settings

    @cached_property
    def repository(self) -> PostgresRepository:
        """Return the record."""
        return PostgresRepository(self._connect_postgres())

    @cached_property
    def redis(self) -> Redis | RedisCluster:
        """Return the client of the coordinator."""
        url = self.settings.redis_url
        return connect_redis(url, cluster=self.settings.redis_cluster, credentials=redis_credentials(url))

    @cached_property
    def coordinator(self) -> RedisCoordinator:
        """Return the coordinator."""
        return RedisCoordinator(self.redis, self.settings.retention)

    def close(self) -> None:
        """Close what is open; a function copy never does, its end does."""
        self.repository.close()
        self.redis.close()

    @cached_property
    def delivery(self) -> Delivery:
        """Return what follows a commit."""
        return Delivery(
            self.coordinator,
            self.repository,
            EventBridgePublisher(boto3.client("events", config=AWS), self.settings.event_bus),
            SystemClock(),
        )

    @cached_property
    def wire(self) -> JsonWire:
        """Return the encoder of events."""
        return JsonWire(traceparent=traceparent)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Return the dead-letter queue of the function's own queue."""
        return SqsDeadLetters(boto3.client("sqs", config=AWS), self.settings.dead_letter_queue_url)

    def register_batch(self) -> Intake[Registration, Registered]:
        """Return the use case behind its queue."""
        default = self.settings.default_timeout_seconds
        return Intake(
            linking(lambda body: parse_registration(body, default)),
            RegisterBatch(self.delivery, self.wire),
            lambda report: [_poison(answer) for answer in report.answers],
            self.dead_letters,
        )

    def provision_content(self) -> Intake[Arrival, Provisioned]:
        """Return the use case behind its queue."""
        return Intake(
            linking(parse_arrival),
            ProvisionContent(self.delivery, self.wire),
            lambda report: [_poison(outcome) for outcome in report.outcomes],
            self.dead_letters,
        )

    def expire_batches(self) -> ExpireBatches:
        """Return the use case."""
        return ExpireBatches(self.delivery, self.wire, self.settings.parking, self.settings.retention)

    def publish_outbox(self) -> PublishOutbox:
        """Return the use case."""
        return PublishOutbox(self.delivery)

    def audit_batches(self, window: timedelta = WINDOW) -> AuditBatches:
        """Return the use case; closed batches are checked as far back as `window`."""
        return AuditBatches(
            PostgresLedger(self.repository.engine),
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
        """Bring the schema to the newest revision and return it; one ahead of this code stays."""
        return upgrade(self._connect_postgres(is_patient=True))

    def _connect_postgres(self, *, is_patient: bool = False) -> Engine:
        url = self.settings.database_url
        return connect_postgres(url, postgres_password(url), is_patient=is_patient)


@cache
def service() -> Service:
    """Return the service of this function copy; raise `SettingsError` when a setting is missing or wrong."""
    return Service(read_settings())


def _poison(answer: object) -> Poison | None:
    return Poison("REFUSED_BY_STORE", "data", answer.reason) if isinstance(answer, Refused) else None
