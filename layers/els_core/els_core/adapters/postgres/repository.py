"""The port `Repository`: transactions with retries, and single statements in autocommit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.rows import snapshot_of
from els_core.adapters.postgres.session import PostgresSession
from els_core.adapters.postgres.transaction import PostgresTransaction
from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Engine

    from els_core.application.ports.repository import Transaction
    from els_core.domain.batches import BatchSnapshot


class PostgresRepository:
    """The port `Repository` on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._session = PostgresSession(engine)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        """Run the work in one transaction and commit, with retries; the work must be idempotent."""
        return self._session.transact(lambda connection: work(PostgresTransaction(connection)))

    def delete_sent(self, event_ids: Sequence[UUID]) -> None:
        """Delete published events from the outbox without waiting for the disk."""
        ids = json.dumps([str(event_id) for event_id in event_ids])
        self._session.write(statements.DELETE_FROM_OUTBOX, ids=ids)

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        """Read a page of the outbox."""
        grace = older_than.total_seconds()
        rows = self._session.read(statements.READ_OUTBOX, grace=grace, after=after, limit=limit)
        return [
            (
                row["position"],
                OutboxMessage(UUID(str(row["event_id"])), row["batch_id"], row["detail_type"], row["detail"]),
            )
            for row in rows
        ]

    def purge(self, age: timedelta, limit: int) -> int:
        """Delete a page of old batches with all that belongs to them; return how many."""
        return self._session.write(statements.DELETE_OLD_BATCHES, age=age.total_seconds(), limit=limit)

    def find(self, batch_id: str) -> tuple[BatchSnapshot, datetime] | None:
        """Read one batch without a lock."""
        rows = self._session.read(statements.READ_SNAPSHOTS, ids=json.dumps([batch_id]))
        return next(((snapshot_of(row), row["now"]) for row in rows), None)
