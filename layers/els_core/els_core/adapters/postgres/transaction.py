"""One transaction: the port `Transaction`, each method one statement, `lock` two."""

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
    answer_of,
    batch_of,
    parked_of,
    snapshot_of,
    writes_of,
)
from els_core.domain.arrivals import Content, key_of
from els_core.domain.decisions import LockedView
from els_core.domain.errors import ProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, TextClause
    from sqlalchemy.engine import RowMapping

    from els_core.application.ports.repository import ParkedArrival
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import FinalOutcome, Proposal


class PostgresTransaction:
    """The port `Transaction` on one connection inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        """Name, then lock in the order of the ids."""
        ids = json.dumps(list(batch_ids))
        self._run("name batches", statements.NAME, ids=ids)
        rows = self._read("lock batches", statements.LOCK, ids=ids)
        return {row["batch_id"]: batch_of(row) for row in rows}

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Read first answers, free slots and the time in one statement."""
        if not arrivals:
            return LockedView(self._now(), {}, {})
        asked = json.dumps([_asked(arrival, proposals.get(key_of(arrival))) for arrival in arrivals])
        first: dict[ArrivalKey, FinalOutcome] = {}
        free: dict[str, list[str]] = {}
        now = None
        for row in self._read("read the standing of arrivals", statements.STANDING, asked=asked):
            if row["word"] == "now":
                now = row["now"]
            elif row["word"] == "free":
                free.setdefault(row["batch_id"], []).append(row["what"])
            else:
                first[row["batch_id"], row["identity"]] = answer_of(row["word"], row["what"])
        if now is None:
            raise ProcessingError("read the time of the record", service="Postgres")
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
        opened = self._read("open batches", statements.OPEN, registrations=json.dumps(rows))
        return {row["batch_id"]: batch_of(row) for row in opened}

    def parked(self, batch_ids: Sequence[str]) -> list[ParkedArrival]:
        """Read what is parked, oldest first."""
        rows = self._read("read parked arrivals", statements.PARKED, ids=json.dumps(list(batch_ids)))
        return [parked_of(row) for row in rows]

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Delete parked arrivals."""
        rows = [{"batch_id": batch_id, "identity": identity} for batch_id, identity in keys]
        self._run("remove parked arrivals", statements.UNPARK, keys=json.dumps(rows))

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write all in one statement and compare what was written with what was meant."""
        parameters = {name: json.dumps(rows) for name, rows in writes_of(changes).items()}
        [row] = self._read("record decisions", statements.RECORD, **parameters)
        if row["count"] != len(changes):
            raise ProcessingError(
                "record decisions",
                service="Postgres",
                details=f"{row['count']} of {len(changes)} batches were as they were locked",
            )

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Read batches with everything that they hold."""
        rows = self._read("read batches", statements.ROLLS, ids=json.dumps(list(batch_ids)))
        return [snapshot_of(row) for row in rows]

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        """Insert into the outbox, and keep the digests of final results beside their batches."""
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
        self._run("fill the outbox", statements.ENQUEUE, messages=json.dumps(rows))

    def overdue(self, limit: int) -> tuple[datetime, list[Batch]]:
        """Lock due batches that nobody holds."""
        rows = self._read("find overdue batches", statements.OVERDUE, limit=limit)
        return self._now(), [batch_of(row) for row in rows]

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        """Lock awaited batches and mark their overdue arrivals."""
        rows = self._read(
            "find overdue parked arrivals",
            statements.OVERDUE_PARKED,
            waited=waited.total_seconds(),
            limit=limit,
        )
        groups = (list(group) for _, group in groupby(rows, key=lambda row: row["batch_id"]))
        return self._now(), [(batch_of(group[0]), [parked_of(row) for row in group]) for group in groups]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is written inside when it raises."""
        with self._connection.begin_nested():
            yield

    def _now(self) -> datetime:
        [row] = self._read("read the time of the record", statements.NOW)
        now: datetime = row["clock_timestamp"]
        return now

    def _read(self, operation: str, statement: TextClause, **parameters: Any) -> Sequence[RowMapping]:
        try:
            return self._connection.execute(statement, parameters).mappings().all()
        except (DBAPIError, OSError) as error:
            raise fault_of(error, operation) from error

    def _run(self, operation: str, statement: TextClause, **parameters: Any) -> None:
        try:
            self._connection.execute(statement, parameters)
        except (DBAPIError, OSError) as error:
            raise fault_of(error, operation) from error


def _asked(arrival: Arrival, proposal: Proposal | None) -> dict[str, str | None]:
    return {
        "batch_id": arrival.batch_id,
        "identity": arrival.identity,
        "text_storage_id": arrival.text_storage_id if isinstance(arrival, Content) else None,
        "proposed": proposal.essay_id if proposal else None,
    }
