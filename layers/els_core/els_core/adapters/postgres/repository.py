"""The port `Repository`: transactions with retries, and single statements in autocommit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.calls import json_of
from els_core.adapters.postgres.rows import (
    message_of,
    snapshot_of,
)
from els_core.adapters.postgres.transaction import PostgresTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.adapters.postgres.session import Session
    from els_core.application.ports.repository import Transaction
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.events import OutboxMessage


class PostgresRepository:
    """Postgres, which decides."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        """Run the work in one transaction and commit."""
        return self._session.transact(lambda pipeline: work(PostgresTransaction(pipeline)))

    def delete_sent(self, positions: Sequence[int]) -> list[timedelta]:
        """Delete sent rows in one statement that does not wait for the disk."""
        parameters = {"positions": json_of(list(positions))}
        rows = self._session.read("delete sent events", statements.DELETE_SENT, parameters)
        return [timedelta(seconds=float(row["waited"])) for row in rows]

    def unsent(
        self, older_than: timedelta, after: int, max_bytes: int, *, is_final: bool
    ) -> list[OutboxMessage]:
        """Read a page of the outbox."""
        parameters = {
            "grace": older_than.total_seconds(),
            "after": after,
            "max_bytes": max_bytes,
            "is_final": is_final,
        }
        rows = self._session.read("read outbox", statements.READ_UNSENT, parameters)
        return [message_of(row) for row in rows]

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Read batches without locks."""
        parameters = {"ids": json_of(list(batch_ids)), "idle": None}
        rows = self._session.read("read snapshots", statements.READ_SNAPSHOTS, parameters)
        return [snapshot_of(row) for row in rows]

    def purge(self, age: timedelta, max_slots: int) -> int:
        """Delete a page of old batches, with everything that belongs to them."""
        parameters = {"age": age.total_seconds(), "max_slots": max_slots}
        return self._session.write("delete old batches", statements.DELETE_OLD_BATCHES, parameters)

    def note_run(self, job: str) -> None:
        """Note that a scheduled job ran to its end."""
        self._session.write("note a run", statements.NOTE_RUN, {"job": job})
