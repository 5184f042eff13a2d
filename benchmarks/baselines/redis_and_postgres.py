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

LOCK = """
SELECT count(*) FROM (SELECT FROM batches
    WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
    ORDER BY batch_id FOR UPDATE) AS held
"""

# Assigns, counts and ends batches in one statement; returns the new excess contents and the changed batches.
WRITE = """
WITH slots AS (
    UPDATE essays AS e SET status = n.status, text_storage_id = n.text_storage_id,
        raw_file_storage_id = n.raw_file_storage_id, original_file_name = n.original_file_name,
        file_size_bytes = n.file_size_bytes, content_md5_hash = n.content_md5_hash,
        file_upload_id = n.file_upload_id, failure_identity = n.failure_identity,
        settled_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:slots AS jsonb)) AS n (
        batch_id text, essay_id text, status text, text_storage_id text, raw_file_storage_id text,
        original_file_name text, file_size_bytes bigint, content_md5_hash text, file_upload_id text,
        failure_identity text)
    WHERE e.batch_id = n.batch_id AND e.essay_id = n.essay_id AND e.status = 'available'
    RETURNING e.batch_id, e.status
), failures AS (
    INSERT INTO validation_failures (batch_id, identity, essay_id, late_reason, event_id, error_code,
        error_message, original_file_name, raw_file_storage_id, file_size_bytes, file_upload_id)
    SELECT * FROM jsonb_to_recordset(CAST(:failures AS jsonb)) AS n (
        batch_id text, identity text, essay_id text, late_reason text, event_id text, error_code text,
        error_message text, original_file_name text, raw_file_storage_id text, file_size_bytes bigint,
        file_upload_id text)
    ON CONFLICT DO NOTHING
), excess AS (
    INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name, raw_file_storage_id,
        file_upload_id)
    SELECT batch_id, text_storage_id, 'NO_AVAILABLE_SLOT', original_file_name, raw_file_storage_id,
        file_upload_id
    FROM jsonb_to_recordset(CAST(:excess AS jsonb)) AS n (
        batch_id text, text_storage_id text, original_file_name text, raw_file_storage_id text,
        file_upload_id text)
    ON CONFLICT DO NOTHING RETURNING batch_id, text_storage_id
), counts AS (
    SELECT batch_id, count(*) FILTER (WHERE status = 'assigned') AS assigned,
        count(*) FILTER (WHERE status = 'failed') AS failed FROM slots GROUP BY batch_id
), changed AS (
    UPDATE batches AS b SET version = b.version + 1, changed_at = clock_timestamp(),
        assigned_count = b.assigned_count + c.assigned, failed_count = b.failed_count + c.failed,
        status = CASE
            WHEN b.assigned_count + b.failed_count + c.assigned + c.failed < b.expected_count THEN 'open'
            WHEN b.assigned_count + c.assigned > 0 THEN 'ready' ELSE 'failed' END
    FROM counts AS c WHERE b.batch_id = c.batch_id RETURNING b.batch_id, b.status
)
SELECT 'excess', batch_id, text_storage_id FROM excess UNION ALL
SELECT 'batch', batch_id, status FROM changed
"""

# The data of a terminal event, built by Postgres so that Python copies one string.
TERMINAL_DATA = """
SELECT batch_id, correlation_id, json_build_object('batch_id', batch_id, 'expected_count', expected_count,
    'assigned_count', assigned_count, 'failed_count', failed_count, 'lists_omitted', false,
    'ready_essays', (SELECT json_agg(json_build_object('essay_id', essay_id, 'text_storage_id',
            text_storage_id, 'original_file_name', original_file_name) ORDER BY essay_id COLLATE "C")
        FROM essays AS e WHERE e.batch_id = b.batch_id AND e.status = 'assigned'),
    'validation_failures', (SELECT json_agg(json_build_object('essay_id', essay_id, 'original_file_name',
            original_file_name, 'validation_error_code', error_code, 'file_upload_id', file_upload_id))
        FROM validation_failures AS v WHERE v.batch_id = b.batch_id AND v.essay_id IS NOT NULL),
    'course_code', course_code, 'course_language', 'en', 'user_id', user_id, 'org_id', org_id,
    'class_id', class_id, 'class_type', 'GUEST', 'essay_instructions', essay_instructions,
    'student_prompt_ref', student_prompt_ref,
    'digest', (SELECT encode(sha256(convert_to(string_agg(essay_id || ' ' || text_storage_id || E'\\n', ''
            ORDER BY essay_id COLLATE "C"), 'UTF8')), 'hex')
        FROM essays AS e WHERE e.batch_id = b.batch_id AND e.status = 'assigned'))::text
FROM batches AS b WHERE batch_id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))
"""

ENQUEUE = """
INSERT INTO outbox (event_id, batch_id, detail_type, detail)
SELECT * FROM jsonb_to_recordset(CAST(:messages AS jsonb)) AS m (
    event_id uuid, batch_id text, detail_type text, detail text)
"""

# As in the service, it does not wait for the disk: if it is lost, the event is published again.
DELETE_SENT = """
DELETE FROM outbox
WHERE set_config('synchronous_commit', 'off', true) IS NOT NULL
    AND event_id IN (SELECT CAST(id AS uuid) FROM jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id)
"""


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
                self._assign(arrivals)

        return run

    def _assign(self, arrivals: Sequence[Arrival]) -> None:
        """Propose; write and fill the outbox in one transaction; publish; empty the outbox."""
        proposals = self._redis.propose(arrivals)
        writes = _writes(proposals)
        if not any(writes.values()):
            return
        self._postgres.run("BEGIN")
        ids = {row["batch_id"] for rows in writes.values() for row in rows}
        self._lock.run(ids=json.dumps(list(ids)))
        written = self._write.run(**{name: json.dumps(rows) for name, rows in writes.items()})
        messages = self._messages(writes, written)
        if messages:
            self._enqueue.run(messages=json.dumps(messages))
        self._postgres.run("COMMIT")
        if messages:
            self._publish(messages)
            self._delete_sent.run(ids=json.dumps([message["event_id"] for message in messages]))

    def close(self) -> None:
        """Close the connection to Postgres."""
        self._postgres.close()

    def _messages(self, writes: Writes, written: list[list[str]]) -> list[Row]:
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
        terminal = self._terminal_data.run(ids=json.dumps(list(ended))) if ended else []
        return messages + [
            _message(ended[batch_id], batch_id, correlation_id, data)
            for batch_id, correlation_id, data in terminal
        ]

    def _publish(self, messages: list[Row]) -> None:
        for start in range(0, len(messages), ENTRIES_PER_CALL):
            self._events.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus,
                        "Source": "els",
                        "DetailType": message["detail_type"],
                        "Detail": message["detail"],
                    }
                    for message in messages[start : start + ENTRIES_PER_CALL]
                ]
            )


def _writes(proposals: Sequence[tuple[Arrival, str]]) -> Writes:
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
