"""The port `Transaction`: one unit of work. Each method is one statement, `lock` two.

Writes wait for the next reading, or for the COMMIT, and travel with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, assert_never

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.calls import Call, json_of
from els_core.adapters.postgres.enqueued import Enqueued
from els_core.adapters.postgres.rows import (
    batch_of,
    first_answer_of,
    parked_of,
    row_of_registration,
    snapshot_of,
    writes_of,
)
from els_core.adapters.postgres.statements import Statement
from els_core.adapters.postgres.steering_statements import SteeringStatements
from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.decisions import LockedView
from els_core.domain.errors import ProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from els_core.adapters.postgres.calls import Result
    from els_core.adapters.postgres.pipeline import Pipeline
    from els_core.application.ports.repository import DeadlinePosition, ParkedArrival
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import FinalOutcome, Proposal


class PostgresTransaction(SteeringStatements):
    """The port `Transaction` on one connection inside its transaction."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> dict[str, Batch]:
        """Insert placeholders, then lock in the order of the ids."""
        locked = self._lock(batch_ids, only_known=only_known)
        self._pipeline.send()
        return _batches_of(locked)

    def lock_and_view(
        self,
        batch_ids: Sequence[str],
        arrivals: Sequence[Arrival],
        proposals: Mapping[ArrivalKey, Proposal],
    ) -> tuple[dict[str, Batch], LockedView]:
        """Do both in one round trip; the view's snapshot is taken when the locks are held."""
        locked = self._lock(batch_ids)
        view = self.locked_view(arrivals, proposals)
        return _batches_of(locked), view

    def _lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> Call:
        ids = json_of(list(batch_ids))
        if not only_known:
            self._write("insert placeholder batches", statements.INSERT_PLACEHOLDERS, ids=ids)
        call = Call("lock batches", statements.LOCK_BATCHES, {"ids": ids}, len(batch_ids))
        return self._pipeline.later(call)

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Read first answers, parked arrivals, free slots and the time in one statement."""
        if not arrivals:
            return LockedView(self._now(), {}, {})
        asked = json_of([_asked(arrival, proposals.get(key_of(arrival))) for arrival in arrivals])
        return _view_of(self._result("read locked view", statements.READ_LOCKED_VIEW, asked=asked))

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        """Open batches and insert their slots."""
        rows = json_of([row_of_registration(one) for one in registrations])
        opened = self._read("open batches", statements.OPEN_BATCHES, registrations=rows)
        return {row["batch_id"]: batch_of(row) for row in opened}

    def parked(self, batch_ids: Sequence[str], limit: int) -> list[ParkedArrival]:
        """Read parked arrivals, oldest first."""
        ids = json_of(list(batch_ids))
        rows = self._read("read parked arrivals", statements.READ_PARKED, ids=ids, limit=limit)
        return [parked_of(row) for row in rows]

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Delete parked arrivals."""
        rows = [{"batch_id": batch_id, "identity": identity} for batch_id, identity in keys]
        self._write("delete parked arrivals", statements.DELETE_PARKED, keys=json_of(rows))

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write all in one statement, which fails when what was written is not what was meant.

        What is superseded, and slots that come and go, are written before, in statements of their own.
        """
        writes = writes_of(changes)
        moved = self.write_before(changes)
        for batch in writes["batches"]:
            batch.update(moved.get(str(batch["batch_id"]), {}))
        parameters = {name: json_of(rows) for name, rows in writes.items()}
        self._write("record decisions", statements.RECORD_DECISIONS, **parameters, count=len(changes))

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Read batches with their slots and the failures that use one."""
        ids = json_of(list(batch_ids))
        rows = self._read("read snapshots", statements.READ_SNAPSHOTS, ids=ids, idle=None)
        return [snapshot_of(row) for row in rows]

    def enqueue(self, messages: Sequence[OutboxMessage]) -> Sequence[OutboxMessage]:
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
        parameters = {"messages": json_of(rows)}
        call = Call("insert into outbox", statements.INSERT_INTO_OUTBOX, parameters, len(rows))
        return Enqueued(messages, self._pipeline.later(call), self._pipeline)

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
        """Roll back to the start of the block when it raises; what it writes is sent at its end."""
        self._pipeline.now(Call("set a savepoint", _SAVEPOINT, max_rows=0))
        try:
            yield
            self._pipeline.now(Call("release a savepoint", _RELEASE, max_rows=0))
        except BaseException:
            self._pipeline.discard()
            if self._pipeline.is_usable:
                self._pipeline.later(Call("roll back to a savepoint", _ROLLBACK, max_rows=0))
                self._pipeline.now(Call("release a savepoint", _RELEASE, max_rows=0))
            raise

    def _now(self) -> datetime:
        [row] = self._read("read time", statements.READ_TIME)
        now: datetime = row["now"]
        return now

    def _read(self, operation: str, statement: Statement, **parameters: object) -> list[dict[str, Any]]:
        return self._result(operation, statement, **parameters).mappings()

    def _result(self, operation: str, statement: Statement, **parameters: object) -> Result:
        return self._pipeline.now(Call(operation, statement, parameters))

    def _write(self, operation: str, statement: Statement, **parameters: object) -> None:
        self._pipeline.later(Call(operation, statement, parameters, max_rows=1))


_SAVEPOINT = Statement.of("savepoint els")
_RELEASE = Statement.of("release savepoint els")
_ROLLBACK = Statement.of("rollback to savepoint els")


def _batches_of(locked: Call) -> dict[str, Batch]:
    rows = locked.result.mappings() if locked.result else []
    return {row["batch_id"]: batch_of(row) for row in rows}


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


def _view_of(result: Result) -> LockedView:
    now: datetime | None = None
    first: dict[ArrivalKey, FinalOutcome] = {}
    free: dict[str, list[str]] = {}
    parked: set[ArrivalKey] = set()
    counts: dict[str, int] = {}
    barred: set[ArrivalKey] = set()
    names: dict[ArrivalKey, str] = {}
    for batch_id, identity, word, what, moment in result.rows:
        match word:
            case "now":
                now = moment
            case "free":
                free.setdefault(batch_id, []).append(what)
            case "parked":
                parked.add((batch_id, identity))
            case "barred":
                barred.add((batch_id, identity))
            case "names":
                names[batch_id, identity] = what
            case "parked_count":
                counts[batch_id] = int(what)
            case word:
                first[batch_id, identity] = first_answer_of(word, what)
    if now is None:
        raise ProcessingError("read locked view", service="Postgres", details="the time is missing")
    return LockedView(now, first, free, parked, counts, barred, names)
