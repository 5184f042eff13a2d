"""The use cases on real Postgres and Redis, with a bus that keeps what was published."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.reader import PostgresReader
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.session import Session
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.application.batch_status import BatchStatus, EpochChanged
from els_core.application.budgets import always
from els_core.application.decision_step import StoreRejection
from els_core.application.expire_batches import ExpireBatches
from els_core.application.message_consumer import Retry
from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch
from els_core.application.steer_batch import SteerBatch
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.outcomes import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from els_core.application.batch_status import BatchDescription
    from els_core.application.budgets import MayContinue
    from els_core.application.expire_batches import SweepResult
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.publish_outbox import RelayResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot, Registration
    from els_core.domain.events import OutboxMessage


RETENTION = timedelta(days=90)
PARKING = timedelta(minutes=30)


@dataclass
class RecordingBus:
    """The port `Publisher`: accepts every message, or none while it is down."""

    published: list[OutboxMessage] = field(default_factory=list)
    is_down: bool = False

    def exists(self) -> bool:
        return True

    def publish(self, messages: Sequence[OutboxMessage], _: MayContinue = always) -> list[UUID]:
        if self.is_down:
            return []
        self.published.extend(messages)
        return [message.event_id for message in messages]

    def event_counts(self) -> Counter[str]:
        """Return the number of distinct events per type; an event sent again has the same id."""
        return event_counts(self.published)

    def data(self, detail_type: str) -> list[dict[str, Any]]:
        """Return the data of every message of a type, in order."""
        return [
            json.loads(message.detail)["data"]
            for message in self.published
            if message.detail_type == detail_type
        ]


def event_counts(messages: Sequence[OutboxMessage]) -> Counter[str]:
    """Return the number of distinct events per type."""
    return Counter({message.event_id: message.detail_type for message in messages}.values())


class Environment:
    """The use cases as one Lambda execution environment has them, on stores shared with others."""

    def __init__(
        self,
        database_url: str,
        redis_url: str,
        *,
        cluster: bool = False,
        coordinator: Coordinator | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.database_url = database_url
        self.redis_url = redis_url
        self.bus = RecordingBus()
        self.engine = connect_postgres(database_url)
        self.redis = connect_redis(redis_url, cluster=cluster)
        self.session = Session(self.engine)
        self.repository = PostgresRepository(self.session)
        self.clock = clock or SystemClock()
        self.coordinator = coordinator or RedisCoordinator(self.redis, RETENTION)
        post_commit = PostCommit(self.coordinator, self.repository, self.bus, self.clock)
        self.register_batch = RegisterBatch(post_commit, JsonEventEncoder())
        self.provision_content = ProvisionContent(post_commit, JsonEventEncoder())
        self.expire_batches = ExpireBatches(post_commit, JsonEventEncoder(), timedelta(0), RETENTION)
        self.steer_batch = SteerBatch(post_commit, JsonEventEncoder())
        self.publish_outbox = PublishOutbox(post_commit, self.bus, grace=timedelta(0))
        reader = PostgresReader(Session(self.engine, named=False))
        self.batch_status = BatchStatus(reader)

    def register(self, *registrations: Registration) -> RegistrationResult:
        return self.register_batch.register(registrations)

    def provision(self, *arrivals: Arrival) -> ProvisioningResult:
        return self.provision_content.provision(arrivals)

    def outcomes(self, *arrivals: Arrival) -> Counter[str]:
        """Provision the arrivals and return the number of each outcome by its name."""
        return Counter(
            "rejected" if isinstance(outcome, StoreRejection | Retry) else name_of(outcome)
            for outcome in self.provision(*arrivals).outcomes
        )

    def expire(self, may_continue: Callable[[], bool] = always) -> SweepResult:
        return self.expire_batches.run(may_continue)

    def relay(self, may_continue: Callable[[], bool] = always) -> RelayResult:
        return self.publish_outbox.run(may_continue)

    def status(self, batch_id: str = "b") -> BatchDescription | None:
        found = self.batch_status.read(batch_id)
        assert not isinstance(found, EpochChanged)
        return found

    def snapshot(self, batch_id: str = "b") -> BatchSnapshot:
        [found] = self.repository.snapshots([batch_id])
        return found

    def pass_the_deadline(self) -> None:
        """Set the deadline of every open batch to the current time of Postgres."""
        self.execute("UPDATE batches SET deadline = clock_timestamp() WHERE status = 'open'")

    def execute(self, sql: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def close(self) -> None:
        self.engine.dispose()
        self.redis.close()
