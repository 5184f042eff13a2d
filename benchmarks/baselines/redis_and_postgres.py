"""Bare loop (b): the scripts, one bulk transaction per chunk through `pg8000.native`, and the same events.

What durable slot assignment costs at least with these drivers. It believes every word of Redis, parses
nothing, checks nothing, logs nothing and parks nothing; its statements are prepared once.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from pg8000.native import Connection
from sqlalchemy.engine import make_url

from benchmarks.baselines import redis_and_postgres_sql as bare_sql
from els_core.adapters.postgres.driver import dial
from els_core.domain.arrivals import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.baselines.redis_only import Scripts
    from els_core.domain.arrivals import Arrival

type Row = dict[str, Any]
type Bindings = dict[str, list[Row]]

ENTRIES = 10  # of one PutEvents call
FINALS = {"ready": "BatchEssaysReady", "failed": "BatchValidationErrors"}


class BareLoop:
    """The least that is durable and announced."""

    def __init__(self, scripts: Scripts, database_url: str, bus: str) -> None:
        url = make_url(database_url)
        self._scripts = scripts
        self._bus = bus
        self._events = boto3.client("events")
        self._record = Connection(
            str(url.username), database=url.database, sock=dial(str(url.host), int(url.port or 5432), 30)
        )
        self._lock = self._record.prepare(bare_sql.LOCK)
        self._bind = self._record.prepare(bare_sql.BIND)
        self._final = self._record.prepare(bare_sql.FINAL)
        self._enqueue = self._record.prepare(bare_sql.ENQUEUE)
        self._forget = self._record.prepare(bare_sql.FORGET)

    def over(self, chunks: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return what is to be timed."""

        def loop() -> None:
            for chunk in chunks:
                self._assign(chunk)

        return loop

    def _assign(self, chunk: Sequence[Arrival]) -> None:
        """Propose, bind, count, close and fill the outbox in one transaction, publish, empty the outbox."""
        proposals = self._scripts.propose(chunk)
        bindings = _bindings(proposals)
        if not any(bindings.values()):
            return
        self._record.run("BEGIN")
        ids = {row["batch_id"] for rows in bindings.values() for row in rows}
        self._lock.run(ids=json.dumps(list(ids)))
        written = self._bind.run(**{name: json.dumps(rows) for name, rows in bindings.items()})
        messages = self._messages(bindings, written)
        if messages:
            self._enqueue.run(messages=json.dumps(messages))
        self._record.run("COMMIT")
        if messages:
            self._publish(messages)
            self._forget.run(ids=json.dumps([message["event_id"] for message in messages]))

    def close(self) -> None:
        """Close the connection; the scripts belong to another."""
        self._record.close()

    def _messages(self, bindings: Bindings, written: list[list[str]]) -> list[Row]:
        """Make the events as the wire has them."""
        assigned: dict[str, list[Row]] = {}
        for row in bindings["slots"]:
            if row["status"] == "assigned":
                assigned.setdefault(row["batch_id"], []).append(row)
        messages = [
            _message("EssaySlotsAssigned", batch_id, rows[0]["correlation_id"], _assignments(batch_id, rows))
            for batch_id, rows in assigned.items()
        ]
        new = {text_id for kind, _, text_id in written if kind == "excess"}
        messages += [
            _message("ExcessContentProvisioned", row["batch_id"], row["correlation_id"], _excess(row))
            for row in bindings["excess"]
            if row["text_storage_id"] in new
        ]
        closed = {
            batch_id: FINALS[status]
            for kind, batch_id, status in written
            if kind == "batch" and status in FINALS
        }
        finals = self._final.run(ids=json.dumps(list(closed))) if closed else []
        return messages + [
            _message(closed[batch_id], batch_id, cause, data) for batch_id, cause, data in finals
        ]

    def _publish(self, messages: list[Row]) -> None:
        for at in range(0, len(messages), ENTRIES):
            self._events.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus,
                        "Source": "els",
                        "DetailType": message["detail_type"],
                        "Detail": message["detail"],
                    }
                    for message in messages[at : at + ENTRIES]
                ]
            )


def _bindings(proposals: Sequence[tuple[Arrival, str]]) -> Bindings:
    """Sort the proposals by what is to be written; duplicates write nothing."""
    slots, failures, excess = [], [], {}
    for arrival, answer in proposals:
        word, _, essay_id = answer.partition(" ")
        row = {name: getattr(arrival, name) for name in arrival.__slots__}
        if word == "assigned":
            slots.append(row | {"essay_id": essay_id, "status": "assigned"})
        elif word == "failed":
            own = {"batch_id": arrival.batch_id, "essay_id": essay_id, "status": "failed"}
            slots.append(own | {"failure_identity": arrival.identity})
            failures.append(row | {"identity": arrival.identity, "essay_id": essay_id})
        elif word == "full" and isinstance(arrival, Content):
            excess[arrival.text_storage_id] = row
        elif word == "full":
            failures.append(row | {"identity": arrival.identity, "late_reason": "NO_AVAILABLE_SLOT"})
        elif word == "unknown":
            raise LookupError(f"Redis does not know batch {arrival.batch_id}")
    return {"slots": slots, "failures": failures, "excess": list(excess.values())}


def _assignments(batch_id: str, rows: list[Row]) -> str:
    names = ("essay_id", "text_storage_id", "original_file_name", "file_upload_id")
    assignments = [{name: row[name] for name in names} for row in rows]
    return json.dumps({"batch_id": batch_id, "assignments": assignments})


def _excess(row: Row) -> str:
    names = ("batch_id", "text_storage_id", "original_file_name")
    return json.dumps({name: row[name] for name in names} | {"reason": "NO_AVAILABLE_SLOT"})


def _message(kind: str, batch_id: str, correlation_id: str, data: str) -> Row:
    event_id = str(uuid4())
    now = datetime.now(UTC).isoformat()  # noqa: TID251 - a benchmark stands outside the service
    metadata = {
        "event_id": event_id,
        "correlation_id": correlation_id,
        "occurred_at": now,
        "source_service": "els",
        "schema_version": 1,
    }
    detail = f'{{"metadata":{json.dumps(metadata)},"data":{data}}}'
    return {"event_id": event_id, "batch_id": batch_id, "detail_type": kind, "detail": detail}
