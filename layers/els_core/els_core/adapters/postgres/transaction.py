"""The port `Transaction`: each method is one statement, `lock` two, those that also return the time two."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.errors import fault_of
from els_core.adapters.postgres.rows import (
    asked_of,
    batch_of,
    outcome_of,
    parked_of,
    snapshot_of,
    writes_of,
)
from els_core.domain.arrivals import key_of
from els_core.domain.decisions import LockedView
from els_core.domain.errors import ProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, CursorResult
    from sqlalchemy.engine import RowMapping

    from els_core.adapters.postgres.statements import Statement
    from els_core.application.ports.repository import ParkedArrival
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import FinalOutcome, Proposal


class PostgresTransaction:
    """The port `Transaction` on a connection whose transaction is open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        """Insert the placeholders that are missing, then lock all rows in the order of the ids."""
        ids = json.dumps(list(batch_ids))
        self._execute(statements.INSERT_PLACEHOLDER_BATCHES, ids=ids)
        rows = self._read(statements.LOCK_BATCHES, ids=ids)
        return {row["batch_id"]: batch_of(row) for row in rows}

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Read first outcomes, free slots and the time in one statement."""
        if not arrivals:
            return LockedView(self._now(), {}, {})
        asked = json.dumps([asked_of(arrival, proposals.get(key_of(arrival))) for arrival in arrivals])
        first: dict[ArrivalKey, FinalOutcome] = {}
        free: dict[str, list[str]] = {}
        now = None
        for row in self._read(statements.READ_LOCKED_VIEW, arrivals=asked):
            match row["kind"]:
                case "now":
                    now = row["now"]
                case "available":
                    free.setdefault(row["batch_id"], []).append(row["value"])
                case kind:
                    first[row["batch_id"], row["identity"]] = outcome_of(kind, row["value"])
        if now is None:
            operation = statements.READ_LOCKED_VIEW.operation
            raise ProcessingError(operation, service="Postgres", details="no row with the time")
        return LockedView(now, first, free)

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        """Open batches and insert their slots."""
        rows = [
            {
                "batch_id": registration.batch_id,
                "essay_ids": registration.essay_ids,
                "fingerprint": registration.fingerprint,
                **asdict(registration.details),
            }
            for registration in registrations
        ]
        opened = self._read(statements.OPEN_BATCHES, registrations=json.dumps(rows))
        return {row["batch_id"]: batch_of(row) for row in opened}

    def parked(self, batch_ids: Sequence[str]) -> list[ParkedArrival]:
        """Read what is parked, oldest first."""
        rows = self._read(statements.READ_PARKED_ARRIVALS, ids=json.dumps(list(batch_ids)))
        return [parked_of(row) for row in rows]

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Delete parked arrivals."""
        rows = [{"batch_id": batch_id, "identity": identity} for batch_id, identity in keys]
        self._execute(statements.DELETE_PARKED_ARRIVALS, keys=json.dumps(rows))

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write all changes in one statement, and raise unless every batch is as intended."""
        parameters = {name: json.dumps(rows) for name, rows in writes_of(changes).items()}
        [row] = self._read(statements.RECORD_DECISIONS, **parameters)
        if row["recorded"] != len(changes):
            raise ProcessingError(
                statements.RECORD_DECISIONS.operation,
                service="Postgres",
                details=f"{row['recorded']} of {len(changes)} batches were still as locked",
            )

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Read batches with all that belongs to them."""
        rows = self._read(statements.READ_SNAPSHOTS, ids=json.dumps(list(batch_ids)))
        return [snapshot_of(row) for row in rows]

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        """Insert into the outbox, and store the digests of final results beside their batches."""
        rows = [
            {
                "event_id": str(message.event_id),
                "batch_id": message.batch_id,
                "detail_type": message.detail_type,
                "detail": message.detail,
                "digest": message.digest,
            }
            for message in messages
        ]
        self._execute(statements.INSERT_INTO_OUTBOX, messages=json.dumps(rows))

    def overdue(self, limit: int) -> tuple[datetime, list[Batch]]:
        """Lock overdue batches that no other transaction holds."""
        rows = self._read(statements.LOCK_OVERDUE_BATCHES, limit=limit)
        return self._now(), [batch_of(row) for row in rows]

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        """Lock awaited batches and mark their overdue arrivals as announced."""
        rows = self._read(statements.MARK_OVERDUE_PARKED_ARRIVALS, waited=waited.total_seconds(), limit=limit)
        groups = (list(group) for _, group in groupby(rows, key=lambda row: row["batch_id"]))
        return self._now(), [(batch_of(group[0]), [parked_of(row) for row in group]) for group in groups]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back what is written inside when it raises."""
        with self._connection.begin_nested():
            yield

    def _now(self) -> datetime:
        [row] = self._read(statements.READ_TIME)
        now: datetime = row["now"]
        return now

    def _read(self, statement: Statement, **parameters: Any) -> Sequence[RowMapping]:
        return self._execute(statement, **parameters).mappings().all()

    def _execute(self, statement: Statement, **parameters: Any) -> CursorResult[Any]:
        try:
            return self._connection.execute(statement.clause, parameters)
        except (DBAPIError, OSError) as error:
            raise fault_of(error, statement.operation) from error
