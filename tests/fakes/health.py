"""What the health check reads, on the fake tables and queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.application.ports.health import Backlog, QueueDepth
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tests.fakes.postgres import FakePostgres
    from tests.fakes.rows import BatchRow, Database
    from tests.fakes.tables import TableTransaction


class FakeHealthReader:
    """The port `HealthReader` in memory."""

    def __init__(self, postgres: FakePostgres) -> None:
        self._postgres = postgres
        self.is_down = False

    def backlog(self, stuck_after: timedelta) -> Backlog:
        if self.is_down:
            raise ExternalServiceError("count what waits", service="Postgres")
        database = self._postgres.database
        transaction = database.begin()
        with transaction.statement("count what waits"):
            found = _backlog_of(database, transaction, stuck_after)
        transaction.roll_back()
        return found


@dataclass
class FakeQueueReader:
    """The port `QueueReader` in memory."""

    queues: list[QueueDepth] = field(default_factory=list)
    is_down: bool = False

    def depths(self) -> list[QueueDepth]:
        if self.is_down:
            raise ExternalServiceError("read queue attributes", service="SQS")
        return self.queues


def _backlog_of(database: Database, transaction: TableTransaction, stuck_after: timedelta) -> Backlog:
    now = database.clock.now()
    batches = database.batches.rows(transaction)
    waiting = [row for row in batches.values() if row.batch.status is Status.OPEN]
    late = [row for row in waiting if row.batch.deadline and row.batch.deadline < now]
    parked = database.parked.rows(transaction).values()
    outbox = database.outbox.rows(transaction).values()
    results = [row for row in outbox if row.message.is_final]
    runs = database.runs.rows(transaction)
    before = now - stuck_after
    stuck = {row.batch.batch_id for row in late if row.batch.deadline and row.batch.deadline < before}
    stuck |= {row.message.batch_id for row in results if row.created_at < before}
    for batch_id in {row.arrival.batch_id for row in parked}:
        named = batches[batch_id]
        if named.batch.status is not Status.AWAITED and named.changed_at < before:
            stuck.add(batch_id)
    return Backlog(
        len(waiting),
        len(late),
        len(stuck),
        _age(now, map(_opened_at, waiting)),
        len(parked),
        _age(now, (row.parked_at for row in parked)),
        len(outbox),
        _age(now, (row.created_at for row in outbox)),
        len(results),
        _age(now, (row.created_at for row in results)),
        _age(now, [runs["expire_batches"]]) if "expire_batches" in runs else None,
        _age(now, [runs["publish_outbox"]]) if "publish_outbox" in runs else None,
    )


def _age(now: datetime, moments: Iterable[datetime]) -> float:
    """Return the age of the oldest in seconds, 0 when there is none."""
    return max(((now - moment).total_seconds() for moment in moments), default=0.0)


def _opened_at(row: BatchRow) -> datetime:
    if row.batch.deadline is None or row.details is None:
        raise AssertionError("an open batch has a deadline and details")
    return row.batch.deadline - timedelta(seconds=row.details.timeout_seconds)
