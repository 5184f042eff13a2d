"""The books at the end: what Postgres, Redis, the queues and the bus say of each batch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from dev.demo.cleanup import forget
from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.session import Session
from els_core.adapters.redis.connection import connect as connect_redis
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.redis.keys import METADATA, key
from els_core.domain.audit import IDLE, compare
from els_core.domain.batches import Status

if TYPE_CHECKING:
    from dev.demo.environment import World
    from dev.demo.workload import Plan

BOOK = text("""
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


# The first columns of the question, in its order.
PLAIN = (
    *("batch_id", "status", "version", "expected", "assigned", "failed"),
    *("seconds_left", "closed_after_deadline", "changed_at"),
)


@dataclass(frozen=True)
class Slot:
    """A row of a slot."""

    essay_id: str
    status: str
    text_id: str | None
    failure: str | None
    in_time: bool | None


@dataclass(frozen=True)
class Book:
    """A batch as Postgres has it."""

    batch_id: str
    status: str
    version: int
    expected: int
    assigned: int
    failed: int
    seconds_left: float | None
    closed_after_deadline: bool | None
    changed_at: float
    slots: tuple[Slot, ...]
    late: tuple[str, ...]
    excess: dict[str, str]
    parked: tuple[str, ...]
    unsent: int

    @property
    def is_terminal(self) -> bool:
        """Tell whether it has had its final result."""
        return self.status in {"ready", "failed", "timed_out"}


class Bookkeeper:
    """Reads the books of one plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._ids = plan.batch_ids
        self._engine = connect_postgres(world.database_url)
        self._repository = PostgresRepository(Session(self._engine))
        self._redis: Any = connect_redis(world.redis_url, cluster=world.cluster)
        self._coordinator = RedisCoordinator(self._redis, timedelta(days=1))
        self._sqs = world.stack.client("sqs")

    def books(self) -> dict[str, Book]:
        """Return what Postgres says of each batch that was named so far."""
        with self._engine.begin() as connection:
            rows = connection.execute(BOOK, {"ids": self._ids}).all()
        return {row[0]: _book(*row) for row in rows}

    def metadata(self) -> dict[str, dict[str, str]]:
        """Return what Redis knows of each batch; nothing where it knows none."""
        return {batch_id: self._redis.hgetall(key(batch_id, METADATA)) for batch_id in self._ids}

    def forget(self) -> float:
        """Make Redis forget everything, or these batches where it is not ours, and return when."""
        with self._engine.begin() as connection:
            now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
        if self._world.given_redis:
            forget(self._world, self._ids)
        else:
            self._redis.flushall()
        return float(now)

    def compared(self) -> dict[str, str | None]:
        """Compare Redis with the record slot by slot, per open batch: None where both agree."""
        found = {}
        for batch_id in self._ids:
            known = self._repository.snapshots([batch_id])
            if known and known[0].batch.status is Status.OPEN:
                [said] = self._coordinator.inspect([batch_id])
                # Nothing is in flight: a proposal that was not committed is wrong now, not only later.
                finding = compare(known[0], said, SystemClock().now() + 2 * IDLE)
                found[batch_id] = finding.detail if finding else None
        return found

    def tamper(self) -> None:
        """Change one fact of the record behind everybody's back."""
        statement = text("""
            UPDATE essays SET text_storage_id = 'tampered' WHERE (batch_id, essay_id) = (
                SELECT batch_id, essay_id FROM essays WHERE batch_id = ANY(:ids) AND status = 'assigned'
                LIMIT 1)
        """)
        with self._engine.begin() as connection:
            connection.execute(statement, {"ids": self._ids})

    def queued(self) -> int:
        """Return how many messages wait or are worked on."""
        return sum(
            self._count(self._world.stack.outputs[f"{name}QueueUrl"])
            for name in ("RegisterBatch", "ProvisionContent")
        )

    def dead_letters(self) -> list[str]:
        """Return the error codes of the dead letters; one that came twice is the same by its event id."""
        url = self._world.stack.outputs["ProvisionContentDeadLettersUrl"]
        answer = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        codes = {
            json.loads(message["Body"])["detail"]["metadata"]["event_id"]: message.get(
                "MessageAttributes", {}
            )
            .get("error_code", {})
            .get("StringValue", "without a code")
            for message in answer.get("Messages", [])
        }
        return list(codes.values())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        self._redis.close()

    def _count(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        known = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(known.get(name, 0)) for name in names)


def _book(*row: Any) -> Book:
    decoded: list[Any] = [
        json.loads(value) if isinstance(value, str) and value.startswith("[") else value for value in row
    ]
    slots, late, excess, parked, unsent = decoded[9:]
    rows = tuple(Slot(*slot) for slot in slots)
    plain = dict(zip(PLAIN, decoded, strict=False))
    return Book(
        **plain, slots=rows, late=tuple(late), excess=dict(excess), parked=tuple(parked), unsent=unsent
    )
