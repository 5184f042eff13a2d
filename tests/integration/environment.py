"""The use cases on real stores, with a bus that remembers what it took."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.application.batch_status import BatchStatus
from els_core.application.expire_batches import ExpireBatches
from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent
from els_core.application.publish_outbox import PublishOutbox
from els_core.application.register_batch import RegisterBatch
from els_core.contracts.event_encoder import JsonEventEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.events import OutboxMessage


RETENTION = timedelta(days=90)
PARKING = timedelta(minutes=30)


@dataclass
class Bus:
    """Takes every message, unless it is down."""

    taken: list[OutboxMessage] = field(default_factory=list)
    is_down: bool = False

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        if self.is_down:
            return []
        self.taken.extend(messages)
        return [message.event_id for message in messages]

    def kinds(self) -> Counter[str]:
        """Count the distinct events by kind: a repetition has the same id."""
        return Counter({message.event_id: message.detail_type for message in self.taken}.values())

    def data(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(message.detail)["data"] for message in self.taken if message.detail_type == kind]


class World:
    """One copy of every function, on the same stores as all other copies."""

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
        self.bus = Bus()
        self.engine = connect_postgres(database_url)
        self.redis = connect_redis(redis_url, cluster=cluster)
        self.repository = PostgresRepository(self.engine)
        self.clock = clock or SystemClock()
        self.coordinator = coordinator or RedisCoordinator(self.redis, RETENTION)
        post_commit = PostCommit(self.coordinator, self.repository, self.bus, self.clock)
        self.register = RegisterBatch(post_commit, JsonEventEncoder())
        self.provision = ProvisionContent(post_commit, JsonEventEncoder())
        self.expire = ExpireBatches(post_commit, JsonEventEncoder(), timedelta(0), RETENTION)
        self.relay = PublishOutbox(post_commit, grace=timedelta(0))
        self.status = BatchStatus(self.repository)

    def outcomes(self, arrivals: Sequence[Arrival]) -> Counter[str]:
        return Counter(
            type(answer).__name__.lower() for answer in self.provision.provision(arrivals).outcomes
        )

    def snapshot(self, batch_id: str = "b") -> BatchSnapshot:
        found = self.repository.find(batch_id)
        assert found is not None
        return found[0]

    def pass_the_deadline(self) -> None:
        """Let the deadlines of all open batches be now, by the clock of the record."""
        self.execute("UPDATE batches SET deadline = clock_timestamp() WHERE status = 'open'")

    def execute(self, sql: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def on_commit(self, act: Callable[[object], None]) -> None:
        """Act just before the next commit."""
        event.listen(self.engine, "commit", act, once=True)

    def close(self) -> None:
        self.engine.dispose()
        self.redis.close()
