"""The one composition root: everything is built when it is first needed, nothing at import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from els_core.adapters.eventbridge.publisher import EventBridgePublisher
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.sqs.dead_letters import SqsDeadLetters
from els_core.adapters.system.clock import SystemClock
from els_core.application.batch_status import BatchStatus
from els_core.application.delivering import Delivery
from els_core.application.expire_batches import ExpireBatches
from els_core.application.provision_content import ProvisionContent
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch
from els_core.contracts.encoding import JsonWire

if TYPE_CHECKING:
    from els_core.settings import Settings


@dataclass(frozen=True)
class Service:
    """The use cases on the real adapters, kept for the life of a function copy."""

    settings: Settings

    @cached_property
    def repository(self) -> PostgresRepository:
        """Return the record."""
        return PostgresRepository(connect_postgres(self.settings.database_url))

    @cached_property
    def delivery(self) -> Delivery:
        """Return what follows a commit."""
        client = connect_redis(self.settings.redis_url, cluster=self.settings.redis_cluster)
        return Delivery(
            RedisCoordinator(client, self.settings.retention),
            self.repository,
            EventBridgePublisher(boto3.client("events"), self.settings.event_bus),
            SystemClock(),
        )

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        """Return the dead-letter queue of the function's own queue."""
        return SqsDeadLetters(boto3.client("sqs"), self.settings.dead_letter_queue_url)

    def register_batch(self) -> RegisterBatch:
        """Return the use case."""
        return RegisterBatch(self.delivery, JsonWire())

    def provision_content(self) -> ProvisionContent:
        """Return the use case."""
        return ProvisionContent(self.delivery, JsonWire())

    def expire_batches(self) -> ExpireBatches:
        """Return the use case."""
        return ExpireBatches(self.delivery, JsonWire(), self.settings.parking, self.settings.retention)

    def publish_outbox(self) -> PublishOutbox:
        """Return the use case."""
        return PublishOutbox(self.delivery)

    def batch_status(self) -> BatchStatus:
        """Return the use case."""
        return BatchStatus(self.repository)
