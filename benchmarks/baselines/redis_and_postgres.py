"""Baseline (b): the scripts, one bulk transaction per SQS batch through `pg8000.native`, and the same events.

The least that durable slot assignment can cost with these drivers. It trusts every answer of Redis, parses
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

from benchmarks.baselines.sql import DELETE_SENT, ENQUEUE, LOCK, TERMINAL_DATA, WRITE
from els_core.adapters.postgres.driver import dial
from els_core.domain.arrivals import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.baselines.redis_only import RedisOnly
    from els_core.domain.arrivals import Arrival

type Row = dict[str, Any]
type Writes = dict[str, list[Row]]

ENTRIES_PER_CALL = 10
TERMINAL_EVENT_TYPES = {"ready": "BatchEssaysReady", "failed": "BatchValidationErrors"}


class RedisAndPostgres:
    """Assigns slots durably and publishes the events."""

    def __init__(self, redis_only: RedisOnly, database_url: str, bus: str) -> None:
        url = make_url(database_url)
        self._redis = redis_only
        self._bus = bus
        self._events = boto3.client("events")
        self._postgres = Connection(
            str(url.username), database=url.database, sock=dial(str(url.host), int(url.port or 5432), 30)
        )
        self._lock = self._postgres.prepare(LOCK)
        self._write = self._postgres.prepare(WRITE)
        self._terminal_data = self._postgres.prepare(TERMINAL_DATA)
        self._enqueue = self._postgres.prepare(ENQUEUE)
        self._delete_sent = self._postgres.prepare(DELETE_SENT)

    def prepare(self, sqs_batches: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return the call that is timed."""

        def run() -> None:
            for arrivals in sqs_batches:
                self.assign(arrivals)

        return run

    def assign(self, arrivals: Sequence[Arrival]) -> None:
        """Propose; write and fill the outbox in one transaction; publish; empty the outbox."""
        proposals = self._redis.propose(arrivals)
        writes = writes_of(proposals)
        if not any(writes.values()):
            return
        self._postgres.run("BEGIN")
        ids = {row["batch_id"] for rows in writes.values() for row in rows}
        self._lock.run(ids=json.dumps(list(ids)))
        written = self._write.run(**{name: json.dumps(rows) for name, rows in writes.items()})
        messages = self.messages(writes, written)
        if messages:
            self._enqueue.run(messages=json.dumps(messages))
        self._postgres.run("COMMIT")
        if messages:
            self._publish(messages)
            self._delete_sent.run(ids=json.dumps([message["event_id"] for message in messages]))

    def close(self) -> None:
        """Close the connection to Postgres."""
        self._postgres.close()

    def messages(self, writes: Writes, written: list[list[str]]) -> list[Row]:
        """Return the outbox messages for what was written."""
        assigned: dict[str, list[Row]] = {}
        for row in writes["slots"]:
            if row["status"] == "assigned":
                assigned.setdefault(row["batch_id"], []).append(row)
        messages = [
            _message("EssaySlotsAssigned", batch_id, rows[0]["correlation_id"], _assignments(batch_id, rows))
            for batch_id, rows in assigned.items()
        ]
        new = {text_id for kind, _, text_id in written if kind == "excess"}
        messages += [
            _message("ExcessContentProvisioned", row["batch_id"], row["correlation_id"], _excess(row))
            for row in writes["excess"]
            if row["text_storage_id"] in new
        ]
        ended = {
            batch_id: TERMINAL_EVENT_TYPES[status]
            for kind, batch_id, status in written
            if kind == "batch" and status in TERMINAL_EVENT_TYPES
        }
        terminal = self.terminal_data(list(ended)) if ended else []
        return messages + [
            _message(ended[batch_id], batch_id, correlation_id, data)
            for batch_id, correlation_id, data in terminal
        ]

    def terminal_data(self, batch_ids: list[str]) -> list[list[str]]:
        """Return batch id, correlation id and data of the terminal event of each ended batch."""
        found: list[list[str]] = self._terminal_data.run(ids=json.dumps(batch_ids))
        return found

    def entry(self, message: Row) -> Row:
        """Return a message as an entry of PutEvents."""
        return {
            "EventBusName": self._bus,
            "Source": "els",
            "DetailType": message["detail_type"],
            "Detail": message["detail"],
        }

    def _publish(self, messages: list[Row]) -> None:
        for start in range(0, len(messages), ENTRIES_PER_CALL):
            entries: list[Any] = [self.entry(one) for one in messages[start : start + ENTRIES_PER_CALL]]
            self._events.put_events(Entries=entries)


def writes_of(proposals: Sequence[tuple[Arrival, str]]) -> Writes:
    """Return the rows to write, by table; duplicates write nothing."""
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


def _message(detail_type: str, batch_id: str, correlation_id: str, data: str) -> Row:
    event_id = str(uuid4())
    metadata = {
        "event_id": event_id,
        "correlation_id": correlation_id,
        "occurred_at": datetime.now(UTC).isoformat(),  # noqa: TID251 - not part of the service
        "source_service": "els",
        "schema_version": 1,
    }
    detail = f'{{"metadata":{json.dumps(metadata)},"data":{data}}}'
    return {"event_id": event_id, "batch_id": batch_id, "detail_type": detail_type, "detail": detail}
