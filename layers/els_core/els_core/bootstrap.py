"""The composition root. Everything is built on first use, nothing at import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from els_core.adapters.aws.event_bus import EventBridgePublisher
from els_core.adapters.aws.iam_tokens import postgres_password
from els_core.adapters.aws.put_events import PutEventsClient
from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.audit_reader import PostgresAuditReader
from els_core.adapters.postgres.connection import user_of
from els_core.adapters.postgres.health_reader import PostgresHealthReader
from els_core.adapters.telemetry.store_calls import event_bus_sends
from els_core.adapters.telemetry.tracing import linking, traceparent
from els_core.application.announce_batch import AnnounceBatch
from els_core.application.audit_batches import WINDOW, AuditBatches
from els_core.application.batch_status import BatchStatus
from els_core.application.browse_batches import BrowseBatches
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
from els_core.connections import Connections
from els_core.contracts.commands import parse_command
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.contracts.inbound import parse_arrival, parse_registration
from els_core.domain.errors import EventBusMissingError
from els_core.settings import read_settings

if TYPE_CHECKING:
    from datetime import timedelta

    from els_core.application.commands import CommandRequest
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration


@dataclass(frozen=True)
class Container(Connections):
    """Builds the use cases on the real adapters; lives as long as its Lambda execution environment."""

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
    def encoder(self) -> JsonEventEncoder:
        """Return the encoder of events."""
        return JsonEventEncoder(traceparent=traceparent)

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

    def erase_batches(self) -> EraseBatches:
        """Return the use case."""
        return EraseBatches(self.personal_data, self.repository, self.coordinator, SystemClock())

    def batch_status(self) -> BatchStatus:
        """Return the use case."""
        return BatchStatus(self.reader)

    def browse_batches(self, org_id: str | None) -> BrowseBatches:
        """Return the use case for a caller who may see one organisation, or all."""
        return BrowseBatches(self.reader, org_id)

    def operator_api(self) -> SteerBatch:
        """Return the use case that judges commands, for the API."""
        return SteerBatch(self.post_commit, self.encoder)

    def check_health(self) -> CheckHealth:
        """Return the use case."""
        reader = PostgresHealthReader(self.session)
        note_run = self.repository.note_run
        return CheckHealth(reader, self.coordinator, self.bus_probe, self.queue_reader, note_run)

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
        engine = self.connect_postgres(owner_url or url, is_patient=True)
        if owner_url is None or user_of(owner_url) == user_of(url):
            return upgrade(engine)
        return upgrade(engine, (user_of(url), postgres_password(url) is not None))


@cache
def container() -> Container:
    """Return the container of this process; raise `SettingsError` if a setting is missing or wrong."""
    return Container(read_settings())
