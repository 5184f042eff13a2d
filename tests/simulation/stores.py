"""The stores of an environment, fake or real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, assert_never
from uuid import UUID

from sqlalchemy import text

from dev.invariants.evidence import BatchEvidence
from els_core.adapters.postgres import statements
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.rows import snapshot_of as snapshot_of_row
from els_core.adapters.postgres.session import Session
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.domain.arrivals import content_identity
from els_core.domain.audit import UnreadableView
from els_core.domain.batches import Status
from els_core.domain.events import OutboxMessage
from els_core.domain.outcomes import Reason
from tests.contract.repositories import age
from tests.fakes.clock import FakeClock
from tests.fakes.coordinator import FakeCoordinator
from tests.fakes.postgres import FakePostgres
from tests.fakes.snapshots import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Row

    from els_core.application.ports.coordinator import Coordinator, CoordinatorInspector
    from els_core.application.ports.repository import Repository
    from els_core.domain.batches import BatchSnapshot
    from tests.fakes.cooperative_scheduler import CooperativeScheduler


class Stores(Protocol):
    """Postgres and Redis, which all processes share, and what a test can see and do from outside."""

    @property
    def repository(self) -> Repository:
        """Return the repository."""
        ...

    @property
    def coordinator(self) -> Coordinator:
        """Return the coordinator."""
        ...

    def clear(self) -> None:
        """Delete everything before a new environment begins."""
        ...

    def now(self) -> datetime:
        """Return the time of Postgres."""
        ...

    def advance(self, span: timedelta) -> None:
        """Move the clock of Postgres."""
        ...

    def flush(self) -> None:
        """Delete everything in Redis."""
        ...

    def batches(self) -> dict[str, BatchEvidence]:
        """Return all that is committed, by batch."""
        ...

    def outbox(self) -> list[OutboxMessage]:
        """Return the committed outbox rows."""
        ...

    def coordinator_errors(self, found: BatchEvidence) -> list[str]:
        """Return what Redis has wrong about a batch after a redelivery of all its arrivals."""
        ...


def coordinator_errors(inspector: CoordinatorInspector, found: BatchEvidence) -> list[str]:
    """Compare what Redis knows of a batch with Postgres."""
    if not found.outcomes():
        return []  # without an arrival, nothing makes ELS refresh Redis
    snapshot = found.snapshot
    [view] = inspector.inspect([found.batch_id])
    if isinstance(view, UnreadableView):
        return ["Redis holds what makes no sense"]
    if view is None:
        return ["Redis does not know the batch"] if found.batch.is_registered else []
    if view.available - set(snapshot.available):
        return [f"Redis offers {view.available}, free are {snapshot.available}"]
    used = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    used |= {failure.identity: failure.essay_id for failure in snapshot.slot_failures}
    match found.batch.status:
        case Status.OPEN:
            is_complete = used.items() <= view.slot_by_identity.items()
            return [] if is_complete else [f"Redis has {view.slot_by_identity}, Postgres {used}"]
        case Status.AWAITED | Status.READY | Status.FAILED | Status.TIMED_OUT | Status.CANCELLED:
            return []
        case _:
            assert_never(found.batch.status)


class FakeStores:
    """The stores in memory."""

    coordinator: Coordinator

    def __init__(self, scheduler: CooperativeScheduler) -> None:
        self.clock = FakeClock()
        self.scheduler = scheduler
        self.coordinator = self.redis = FakeCoordinator(self.clock, scheduler)
        self.repository = FakePostgres(self.clock, scheduler)

    def clear(self) -> None:
        self.redis.flush()
        self.repository = FakePostgres(self.clock, self.scheduler)

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, span: timedelta) -> None:
        self.clock.advance(span)

    def flush(self) -> None:
        self.redis.flush()

    def batches(self) -> dict[str, BatchEvidence]:
        return {
            batch_id: self._evidence_of(batch_id) for batch_id in self.repository.database.batches.committed
        }

    def _evidence_of(self, batch_id: str) -> BatchEvidence:
        database = self.repository.database
        failures = [row for key, row in database.failures.committed.items() if key[0] == batch_id]
        rows = database.superseded.committed.items()
        superseded = [(key[1], row) for key, row in rows if key[0] == batch_id]
        return BatchEvidence(
            snapshot_of(database.batches.committed[batch_id], database.essays.committed.values(), failures),
            {
                row.content.text_storage_id: row.reason
                for key, row in database.excess.committed.items()
                if key[0] == batch_id
            },
            {row.failure.identity: row.late_reason for row in failures if row.late_reason},
            frozenset(identity for owner, identity in database.parked.committed if owner == batch_id),
            frozenset(identity for identity, row in superseded if row.arrival is not None),
            frozenset(identity for identity, row in superseded if row.arrival is None),
        )

    def coordinator_errors(self, found: BatchEvidence) -> list[str]:
        return coordinator_errors(self.redis, found)

    def outbox(self) -> list[OutboxMessage]:
        return [row.message for row in self.repository.database.outbox.committed.values()]


WITHOUT_SLOT = text("""
SELECT batch_id, 'excess' AS kind, text_storage_id AS name, reason FROM excess_contents
UNION ALL
SELECT batch_id, 'late', identity, late_reason FROM validation_failures WHERE late_reason IS NOT NULL
UNION ALL
SELECT batch_id, 'parked', identity, NULL FROM parked_arrivals
UNION ALL
SELECT batch_id, CASE WHEN arrival IS NULL THEN 'barred' ELSE 'superseded' END, identity, NULL
FROM superseded_arrivals
""")
OUTBOX = text("SELECT event_id, batch_id, detail_type, detail FROM outbox ORDER BY position")
BATCH_IDS = text("SELECT coalesce(json_agg(batch_id), '[]')::text FROM batches")
CLEAR = text("WITH batches AS (DELETE FROM batches) DELETE FROM outbox")


class RealStores:
    """Postgres and Valkey, emptied before each environment."""

    def __init__(self, database_url: str, redis_url: str, retention: timedelta) -> None:
        self._engine = connect_postgres(database_url).execution_options(isolation_level="AUTOCOMMIT")
        self._client = connect_redis(redis_url)
        self._session = Session(connect_postgres(database_url))
        self.repository = PostgresRepository(self._session)
        self.coordinator = RedisCoordinator(self._client, retention)

    def close(self) -> None:
        self._session.close()
        self._engine.dispose()
        self._client.close()

    def clear(self) -> None:
        self.flush()
        with self._engine.connect() as connection:
            connection.execute(CLEAR)

    def now(self) -> datetime:
        [row] = self._session.read("read time", statements.READ_TIME, {})
        now: datetime = row["now"]
        return now

    def advance(self, span: timedelta) -> None:
        age(self._engine, span)

    def flush(self) -> None:
        self._client.flushall()

    def batches(self) -> dict[str, BatchEvidence]:
        with self._engine.connect() as connection:
            ids = connection.execute(BATCH_IDS).scalar_one()
            rows = self._session.read("read snapshots", statements.READ_SNAPSHOTS, {"ids": ids, "idle": None})
            snapshots = [snapshot_of_row(row) for row in rows]
            without_slot = connection.execute(WITHOUT_SLOT).all() if snapshots else []
        return {
            snapshot.batch.batch_id: _evidence_of(
                snapshot, [row for row in without_slot if row.batch_id == snapshot.batch.batch_id]
            )
            for snapshot in snapshots
        }

    def coordinator_errors(self, found: BatchEvidence) -> list[str]:
        return coordinator_errors(self.coordinator, found)

    def outbox(self) -> list[OutboxMessage]:
        with self._engine.connect() as connection:
            rows = connection.execute(OUTBOX).all()
        return [OutboxMessage(UUID(str(event_id)), *rest) for event_id, *rest in rows]


def _evidence_of(snapshot: BatchSnapshot, without_slot: Sequence[Row[Any]]) -> BatchEvidence:
    excess: dict[str, Reason] = {}
    late: dict[str, Reason] = {}
    others: dict[str, set[str]] = {"parked": set(), "superseded": set(), "barred": set()}
    for row in without_slot:
        match row.kind:
            case "excess":
                excess[row.name] = Reason(row.reason)
            case "late":
                late[row.name] = Reason(row.reason)
            case _:
                others[row.kind].add(row.name)
    return BatchEvidence(snapshot, excess, late, **{kind: frozenset(names) for kind, names in others.items()})
