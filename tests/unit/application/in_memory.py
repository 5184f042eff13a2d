"""The use cases on the fakes, with stores that a test can read and break."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.application.budgets import always
from els_core.application.expire_batches import ExpireBatches
from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch
from els_core.application.steer_batch import SteerBatch
from els_core.contracts.event_encoder import JsonEventEncoder
from tests.fakes.bus import FakeBus
from tests.fakes.clock import FakeClock
from tests.fakes.coordinator import FakeCoordinator
from tests.fakes.postgres import FakePostgres

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.expire_batches import SweepResult
    from els_core.application.ports.coordinator import Coordinator
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.publish_outbox import RelayResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot, Registration

PARKING = timedelta(minutes=30)
RETENTION = timedelta(days=90)
GRACE = timedelta(seconds=10)
HOUR = timedelta(hours=1)


class InMemoryEnvironment:
    """Postgres, Redis, bus and clock in memory, and the use cases on them."""

    def __init__(self, coordinator: Coordinator | None = None) -> None:
        self.clock = FakeClock()
        self.postgres = FakePostgres(self.clock)
        self.redis = FakeCoordinator(self.clock)
        self.bus = FakeBus()
        self.post_commit = PostCommit(coordinator or self.redis, self.postgres, self.bus, self.clock)
        encoder = JsonEventEncoder()
        self.register_batch = RegisterBatch(self.post_commit, encoder)
        self.provision_content = ProvisionContent(self.post_commit, encoder)
        self.expire_batches = ExpireBatches(self.post_commit, encoder, PARKING, RETENTION)
        self.steer_batch = SteerBatch(self.post_commit, encoder)
        self.publish_outbox = PublishOutbox(self.post_commit, self.bus, GRACE)

    def register(self, *registrations: Registration) -> RegistrationResult:
        return self.register_batch.register(registrations)

    def provision(self, *arrivals: Arrival) -> ProvisioningResult:
        return self.provision_content.provision(arrivals)

    def expire(self, may_continue: Callable[[], bool] = always) -> SweepResult:
        return self.expire_batches.run(may_continue)

    def relay(self, may_continue: Callable[[], bool] = always) -> RelayResult:
        return self.publish_outbox.run(may_continue)

    def snapshot(self, batch_id: str = "b") -> BatchSnapshot:
        [found] = self.postgres.snapshots([batch_id])
        return found

    def published(self) -> list[str]:
        """Return the types of the published messages, in order."""
        return [message.detail_type for message in self.bus.accepted]

    def outbox(self) -> list[str]:
        """Return the types of the messages that are not sent yet, oldest first."""
        rows = self.postgres.database.outbox.committed.values()
        return [row.message.detail_type for row in sorted(rows, key=lambda row: row.position)]

    def make_parked_unreadable(self, identity: str, batch_id: str = "b") -> None:
        """Make the stored form of a parked arrival unreadable."""
        transaction = self.postgres.database.begin()
        with transaction.statement("make unreadable"):
            parked = self.postgres.database.parked
            parked.update((batch_id, identity), lambda row: replace(row, is_readable=False), transaction)
        transaction.commit()
