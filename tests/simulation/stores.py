"""The stores of a world, fake or real, and what can be seen and done from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from sqlalchemy import text

from dev.invariants.evidence import Page
from els_core.adapters.postgres import statements
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.rows import snapshot_of as roll_of_row
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.domain.arrivals import content_identity
from els_core.domain.batches import Status
from els_core.domain.events import OutboxMessage
from els_core.domain.outcomes import Reason
from tests.contract.postgres_rows import age
from tests.fakes.clock import FakeClock
from tests.fakes.coordinator import FakeCoordinator
from tests.fakes.postgres import FakePostgres
from tests.fakes.rows import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Row

    from els_core.application.ports.coordinator import Coordinator, CoordinatorInspector
    from els_core.application.ports.repository import Repository
    from els_core.domain.batches import BatchSnapshot
    from tests.fakes.cooperative_scheduler import Turns


class Stores(Protocol):
    """The record and the coordinator that all processes share."""

    @property
    def repository(self) -> Repository:
        """Return the record."""
        ...

    @property
    def coordinator(self) -> Coordinator:
        """Return the coordinator."""
        ...

    def clear(self) -> None:
        """Forget everything, so that a new world may begin."""
        ...

    def now(self) -> datetime:
        """Return the record's time."""
        ...

    def advance(self, span: timedelta) -> None:
        """Let time pass in the record."""
        ...

    def flush(self) -> None:
        """Let the coordinator forget everything."""
        ...

    def pages(self) -> dict[str, Page]:
        """Return all that is committed, by batch."""
        ...

    def outbox(self) -> list[OutboxMessage]:
        """Return what is committed to the outbox."""
        ...

    def misknown(self, page: Page) -> list[str]:
        """Return what the coordinator has wrong of a batch whose arrivals have all come again."""
        ...


def misknown(coordinator_inspector: CoordinatorInspector, page: Page) -> list[str]:
    """Compare what Redis knows of a batch with the record."""
    if not page.ends():
        return []  # no arrival, nobody to notice
    [known] = coordinator_inspector.inspect([page.batch_id])
    if known is None:
        return [] if page.batch.status is Status.AWAITED else ["Redis forgot the batch"]
    if known.available - set(page.snapshot.available):
        return [f"Redis offers {known.available}, free are {page.snapshot.available}"]
    used = {content_identity(slot.text_storage_id): slot.essay_id for slot in page.snapshot.assigned}
    used |= {failure.identity: str(failure.essay_id) for failure in page.snapshot.slot_failures}
    if page.batch.status is Status.OPEN and used.items() - known.held.items():
        return [f"Redis has {known.held}, the record {used}"]
    return []


class FakeStores:
    """In memory. The coordinator may be replaced, by one that lies for instance."""

    def __init__(self, turns: Turns, coordinator: Coordinator | None = None) -> None:
        self.clock = FakeClock()
        self.turns = turns
        self.redis = FakeCoordinator(self.clock, turns)
        self.repository = FakePostgres(self.clock, turns)
        self.coordinator: Coordinator = coordinator or self.redis

    def clear(self) -> None:
        self.redis.flush()
        self.repository = FakePostgres(self.clock, self.turns)

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, span: timedelta) -> None:
        self.clock.advance(span)

    def flush(self) -> None:
        self.redis.flush()

    def pages(self) -> dict[str, Page]:
        return {batch_id: self._page(batch_id) for batch_id in self.repository.database.batches.committed}

    def _page(self, batch_id: str) -> Page:
        database = self.repository.database
        failures = [row for key, row in database.failures.committed.items() if key[0] == batch_id]
        return Page(
            snapshot_of(database.batches.committed[batch_id], database.essays.committed.values(), failures),
            {
                row.content.text_storage_id: row.reason
                for key, row in database.excess.committed.items()
                if key[0] == batch_id
            },
            {row.failure.identity: row.late_reason for row in failures if row.late_reason},
            frozenset(identity for owner, identity in database.parked.committed if owner == batch_id),
        )

    def misknown(self, page: Page) -> list[str]:
        return misknown(self.redis, page) if self.coordinator is self.redis else []

    def outbox(self) -> list[OutboxMessage]:
        return [row.message for row in self.repository.database.outbox.committed.values()]


LOOSE = text("""
SELECT batch_id, 'excess' AS kind, text_storage_id AS name, reason FROM excess_contents
UNION ALL
SELECT batch_id, 'late', identity, late_reason FROM validation_failures WHERE late_reason IS NOT NULL
UNION ALL
SELECT batch_id, 'parked', identity, NULL FROM parked_arrivals
""")
OUTBOX = text("SELECT event_id, batch_id, detail_type, detail FROM outbox ORDER BY position")
SNAPSHOTS = text("SELECT * FROM batch_snapshots")
CLEAR = text("WITH batches AS (DELETE FROM batches) DELETE FROM outbox")


class RealStores:
    """Postgres and Valkey, emptied for each world."""

    def __init__(self, database_url: str, redis_url: str, retention: timedelta) -> None:
        self._engine = connect_postgres(database_url).execution_options(isolation_level="AUTOCOMMIT")
        self._client = connect_redis(redis_url)
        self.repository = PostgresRepository(connect_postgres(database_url))
        self.coordinator = RedisCoordinator(self._client, retention)

    def close(self) -> None:
        self.repository.close()
        self._engine.dispose()
        self._client.close()

    def clear(self) -> None:
        """Forget everything, so that a new world may begin."""
        self.flush()
        with self._engine.connect() as connection:
            connection.execute(CLEAR)

    def now(self) -> datetime:
        with self._engine.connect() as connection:
            now: datetime = connection.execute(statements.READ_TIME.clause).scalar_one()
            return now

    def advance(self, span: timedelta) -> None:
        age(self._engine, span)

    def flush(self) -> None:
        self._client.flushall()

    def pages(self) -> dict[str, Page]:
        with self._engine.connect() as connection:
            snapshots = [roll_of_row(row) for row in connection.execute(SNAPSHOTS).mappings()]
            loose = connection.execute(LOOSE).all() if snapshots else []
        return {
            snapshot.batch.batch_id: _page(
                snapshot, [row for row in loose if row.batch_id == snapshot.batch.batch_id]
            )
            for snapshot in snapshots
        }

    def misknown(self, page: Page) -> list[str]:
        return misknown(self.coordinator, page)

    def outbox(self) -> list[OutboxMessage]:
        with self._engine.connect() as connection:
            rows = connection.execute(OUTBOX).all()
        return [OutboxMessage(UUID(str(event_id)), *rest) for event_id, *rest in rows]


def _page(snapshot: BatchSnapshot, loose: Sequence[Row[Any]]) -> Page:
    return Page(
        snapshot,
        {row.name: Reason(row.reason) for row in loose if row.kind == "excess"},
        {row.name: Reason(row.reason) for row in loose if row.kind == "late"},
        frozenset(row.name for row in loose if row.kind == "parked"),
    )
