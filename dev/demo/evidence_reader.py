"""Reads the evidence of a demo from Postgres, Redis and the queues, with queries of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from dev.demo.cleanup import delete_keys
from dev.demo.evidence import BatchState, RedisSlots, Slot
from els_core.adapters.postgres.connection import connect as connect_postgres

if TYPE_CHECKING:
    from dev.demo.environment import Environment
    from dev.demo.workload import Workload

STATES = text("""
SELECT b.batch_id, b.status, b.version, b.expected_count, b.assigned_count, b.failed_count,
    CAST(extract(epoch FROM b.deadline - clock_timestamp()) AS double precision) AS seconds_left,
    b.changed_at >= b.deadline AS closed_after_deadline, extract(epoch FROM b.changed_at) AS changed_at,
    (SELECT coalesce(json_agg(json_build_array(essay_id, status, text_storage_id, failure_identity,
        settled_at <= b.deadline)), '[]') FROM essays AS e WHERE e.batch_id = b.batch_id) AS slots,
    (SELECT coalesce(json_agg(identity), '[]') FROM validation_failures AS v
        WHERE v.batch_id = b.batch_id AND essay_id IS NULL) AS late,
    (SELECT coalesce(json_agg(json_build_array(text_storage_id, reason)), '[]') FROM excess_contents AS x
        WHERE x.batch_id = b.batch_id) AS excess,
    (SELECT coalesce(json_agg(identity), '[]') FROM parked_arrivals AS p
        WHERE p.batch_id = b.batch_id) AS parked,
    (SELECT count(*) FROM outbox AS o WHERE o.batch_id = b.batch_id) AS unsent
FROM batches AS b WHERE b.batch_id = ANY(:ids)
""")
# The first columns of the query, in its order.
SCALARS = (
    *("batch_id", "status", "version", "expected", "assigned", "failed"),
    *("seconds_left", "closed_after_deadline", "changed_at"),
)
TAMPER = text("""
UPDATE essays SET text_storage_id = 'tampered' WHERE (batch_id, essay_id) = (
    SELECT batch_id, essay_id FROM essays WHERE batch_id = ANY(:ids) AND status = 'assigned' LIMIT 1)
""")


class EvidenceReader:
    """Reads the evidence of the batches of one workload."""

    def __init__(self, environment: Environment, workload: Workload) -> None:
        self._environment = environment
        self._ids = workload.batch_ids
        self._engine = connect_postgres(environment.database_url)
        self._redis = environment.connect_redis()
        self._sqs = environment.stack.client("sqs")

    def states(self) -> dict[str, BatchState]:
        """Return what Postgres holds of each batch that has a row."""
        with self._engine.begin() as connection:
            rows = connection.execute(STATES, {"ids": self._ids}).all()
        return {row[0]: _state(*row) for row in rows}

    def metadata(self) -> dict[str, dict[str, str]]:
        """Return the metadata that Redis holds of each batch, empty where it knows none."""
        return {batch_id: self._redis.hgetall(f"batch:{{{batch_id}}}:metadata") for batch_id in self._ids}

    def open_batches(self) -> list[tuple[BatchState, RedisSlots]]:
        """Return each open batch as Postgres and Redis hold it.

        Redis is read first: a batch that is still open afterwards was open before, too.
        """
        slots = {batch_id: self._slots(batch_id) for batch_id in self._ids}
        states = self.states()
        return [(state, slots[name]) for name, state in states.items() if state.status == "open"]

    def flush_redis(self) -> float:
        """Delete everything from Redis, or these batches when the server was given; return the time."""
        with self._engine.begin() as connection:
            now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
        if self._environment.given_redis:
            delete_keys(self._environment, self._ids)
        else:
            self._redis.flushall()
        return float(now)

    def tamper(self) -> None:
        """Change the content of one assigned slot in Postgres."""
        with self._engine.begin() as connection:
            connection.execute(TAMPER, {"ids": self._ids})

    def queued(self) -> int:
        """Return how many messages are waiting or in flight."""
        outputs = self._environment.stack.outputs
        return sum(
            self._count(outputs[f"{name}QueueUrl"])
            for name in ("RegisterBatch", "SteerBatch", "ProvisionContent")
        )

    def dead_letters(self) -> list[str]:
        """Return the error codes of the dead letters; two letters of one event count once."""
        answer = self._sqs.receive_message(
            QueueUrl=self._environment.stack.outputs["ProvisionContentDeadLettersUrl"],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            VisibilityTimeout=0,
        )
        codes: dict[str, str] = {}
        for message in answer.get("Messages", []):
            event_id = json.loads(message["Body"])["detail"]["metadata"]["event_id"]
            code = message.get("MessageAttributes", {}).get("error_code", {})
            codes[event_id] = code.get("StringValue", "no error code")
        return list(codes.values())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        self._redis.close()

    def _slots(self, batch_id: str) -> RedisSlots:
        prefix = f"batch:{{{batch_id}}}"
        return RedisSlots(
            frozenset(self._redis.smembers(f"{prefix}:available_slots")),
            self._redis.hgetall(f"{prefix}:contents"),
            self._redis.hgetall(f"{prefix}:failures"),
        )

    def _count(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        known = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(known.get(name, 0)) for name in names)


def _state(*row: Any) -> BatchState:
    decoded: list[Any] = [
        json.loads(value) if isinstance(value, str) and value.startswith("[") else value for value in row
    ]
    slots, late, excess, parked, unsent = decoded[len(SCALARS) :]
    return BatchState(
        **dict(zip(SCALARS, decoded, strict=False)),
        slots=tuple(Slot(*slot) for slot in slots),
        late=tuple(late),
        excess=dict(excess),
        parked=tuple(parked),
        unsent=unsent,
    )
