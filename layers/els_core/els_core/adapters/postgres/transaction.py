"""The port `Transaction`: one unit of work. Each method is one statement, `lock` two."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.errors import fault_of
from els_core.adapters.postgres.rows import (
    batch_of,
    first_answer_of,
    parked_of,
    snapshot_of,
    writes_of,
)
from els_core.adapters.postgres.steering_statements import SteeringStatements
from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.decisions import LockedView
from els_core.domain.errors import ProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, TextClause
    from sqlalchemy.engine import RowMapping

    from els_core.application.ports.repository import DeadlinePosition, ParkedArrival
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import FinalOutcome, Proposal


class PostgresTransaction(SteeringStatements):
    """The port `Transaction` on one connection inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> dict[str, Batch]:
        """Insert placeholders, then lock in the order of the ids."""
        ids = json.dumps(list(batch_ids))
        if not only_known:
            self._run("insert placeholder batches", statements.INSERT_PLACEHOLDERS, ids=ids)
        rows = self._read("lock batches", statements.LOCK_BATCHES, ids=ids)
        return {row["batch_id"]: batch_of(row) for row in rows}

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Read first answers, parked arrivals, free slots and the time in one statement."""
        if not arrivals:
            return LockedView(self._now(), {}, {})
        asked = json.dumps([_asked(arrival, proposals.get(key_of(arrival))) for arrival in arrivals])
        return _view_of(self._read("read locked view", statements.READ_LOCKED_VIEW, asked=asked))

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
        opened = self._read("open batches", statements.OPEN_BATCHES, registrations=json.dumps(rows))
        return {row["batch_id"]: batch_of(row) for row in opened}

    def parked(self, batch_ids: Sequence[str], limit: int) -> list[ParkedArrival]:
        """Read parked arrivals, oldest first."""
        ids = json.dumps(list(batch_ids))
        rows = self._read("read parked arrivals", statements.READ_PARKED, ids=ids, limit=limit)
        return [parked_of(row) for row in rows]

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Delete parked arrivals."""
        rows = [{"batch_id": batch_id, "identity": identity} for batch_id, identity in keys]
        self._run("delete parked arrivals", statements.DELETE_PARKED, keys=json.dumps(rows))

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write all in one statement and compare what was written with what was meant.

        What is superseded, and slots that come and go, are written before, in statements of their own.
        """
        writes = writes_of(changes)
        moved = self.write_before(changes)
        for batch in writes["batches"]:
            batch.update(moved.get(str(batch["batch_id"]), {}))
        parameters = {name: json.dumps(rows) for name, rows in writes.items()}
        [row] = self._read("record decisions", statements.RECORD_DECISIONS, **parameters)
        if row["count"] != len(changes):
            raise ProcessingError(
                "record decisions",
                service="Postgres",
                details=f"{row['count']} of {len(changes)} batches were as they had been locked",
            )

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Read batches with their slots and the failures that use one."""
        ids = json.dumps(list(batch_ids))
        rows = self._read("read snapshots", statements.READ_SNAPSHOTS, ids=ids, idle=None)
        return [snapshot_of(row) for row in rows]

    def enqueue(self, messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
        """Insert into the outbox, and keep final results with their batches."""
        rows = [
            {
                "event_id": str(message.event_id),
                "batch_id": message.batch_id,
                "detail_type": message.detail_type,
                "detail": message.detail,
                "digest": message.digest,
                "ended_by": message.ended_by,
                "is_final": message.is_final,
            }
            for message in messages
        ]
        inserted = self._read("insert into outbox", statements.INSERT_INTO_OUTBOX, messages=json.dumps(rows))
        positions = {UUID(str(row["event_id"])): row["position"] for row in inserted}
        return [
            replace(message, position=positions[message.event_id])
            for message in messages
            if message.event_id in positions
        ]

    def overdue(self, after: DeadlinePosition | None, max_slots: int) -> tuple[datetime, list[Batch]]:
        """Lock a page of overdue batches."""
        rows = self._read(
            "lock overdue batches",
            statements.LOCK_OVERDUE,
            after_deadline=after.deadline if after else None,
            after_id=after.batch_id if after else "",
            max_slots=max_slots,
        )
        return self._now(), [batch_of(row) for row in rows]

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        """Lock awaited batches and mark their overdue arrivals."""
        rows = self._read(
            "mark overdue parked arrivals",
            statements.MARK_OVERDUE_PARKED,
            waited=waited.total_seconds(),
            limit=limit,
        )
        groups = (list(group) for _, group in groupby(rows, key=lambda row: row["batch_id"]))
        return self._now(), [(batch_of(group[0]), [parked_of(row) for row in group]) for group in groups]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back to the start of the block when it raises."""
        with self._connection.begin_nested():
            yield

    def _now(self) -> datetime:
        [row] = self._read("read time", statements.READ_TIME)
        now: datetime = row["now"]
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
    text_storage_id: str | None
    match arrival:
        case Content():
            text_storage_id = arrival.text_storage_id
        case Failure():
            text_storage_id = None
        case _:
            assert_never(arrival)
    return {
        "batch_id": arrival.batch_id,
        "identity": arrival.identity,
        "text_storage_id": text_storage_id,
        "proposed": proposal.essay_id if proposal else None,
        "supersedes": arrival.supersedes,
    }


def _view_of(rows: Sequence[RowMapping]) -> LockedView:
    now: datetime | None = None
    first: dict[ArrivalKey, FinalOutcome] = {}
    free: dict[str, list[str]] = {}
    parked: set[ArrivalKey] = set()
    counts: dict[str, int] = {}
    barred: set[ArrivalKey] = set()
    names: dict[ArrivalKey, str] = {}
    for row in rows:
        match row["word"]:
            case "now":
                now = row["now"]
            case "free":
                free.setdefault(row["batch_id"], []).append(row["what"])
            case "parked":
                parked.add((row["batch_id"], row["identity"]))
            case "barred":
                barred.add((row["batch_id"], row["identity"]))
            case "names":
                names[row["batch_id"], row["identity"]] = row["what"]
            case "parked_count":
                counts[row["batch_id"]] = int(row["what"])
            case word:
                first[row["batch_id"], row["identity"]] = first_answer_of(word, row["what"])
    if now is None:
        raise ProcessingError("read locked view", service="Postgres", details="the time is missing")
    return LockedView(now, first, free, parked, counts, barred, names)
