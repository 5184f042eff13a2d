"""Baseline (b'): baseline (b) with the tricks of the service.

Statements travel together and are named by the service's own driver, JSON is written by pydantic_core, and
PutEvents takes the thin path, with its calls at the same time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import TYPE_CHECKING, Any

import boto3
from pydantic_core import to_json
from sqlalchemy.engine import make_url

from benchmarks.baselines.redis_and_postgres import ENTRIES_PER_CALL, RedisAndPostgres, writes_of
from benchmarks.baselines.sql import DELETE_SENT, ENQUEUE, LOCK, TERMINAL_DATA, WRITE
from els_core.adapters.aws.put_events import PutEventsClient
from els_core.adapters.postgres.calls import Call
from els_core.adapters.postgres.driver import BEGIN, OneTripConnection
from els_core.adapters.postgres.pipeline import Pipeline
from els_core.adapters.postgres.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.baselines.redis_and_postgres import Row
    from benchmarks.baselines.redis_only import RedisOnly
    from els_core.domain.arrivals import Arrival

_STATEMENTS = {
    sql: Statement.of(sql) for sql in (BEGIN, "commit", LOCK, WRITE, TERMINAL_DATA, ENQUEUE, DELETE_SENT)
}


class Together(RedisAndPostgres):
    """Assigns slots durably and publishes the events, in three round trips to Postgres."""

    def __init__(self, redis_only: RedisOnly, database_url: str, bus: str) -> None:
        super().__init__(redis_only, database_url, bus)
        url = make_url(database_url)
        self._connection = OneTripConnection(
            user=str(url.username), host=str(url.host), port=int(url.port or 5432), database=url.database
        )
        self._pipeline = Pipeline(self._connection, named=True)
        self._put_events = PutEventsClient(boto3.client("events"))
        self._threads = ThreadPoolExecutor()

    def close(self) -> None:
        """Close the connections to Postgres."""
        super().close()
        self._connection.close()

    def assign(self, arrivals: Sequence[Arrival]) -> None:
        """Propose; write and fill the outbox in one transaction; publish; empty the outbox."""
        writes = writes_of(self._redis.propose(arrivals))
        if not any(writes.values()):
            return
        ids = {row["batch_id"] for rows in writes.values() for row in rows}
        self._pipeline.later(_call(BEGIN))
        self._pipeline.later(_call(LOCK, ids=list(ids)))
        messages = self.messages(writes, self._pipeline.now(_call(WRITE, **writes)).rows)
        if messages:
            self._pipeline.later(_call(ENQUEUE, messages=messages))
        self._pipeline.now(_call("commit"))
        if messages:
            self._publish(messages)
            self._pipeline.now(_call(DELETE_SENT, ids=[message["event_id"] for message in messages]))

    def terminal_data(self, batch_ids: list[str]) -> list[list[str]]:
        """Return batch id, correlation id and data of the terminal event of each ended batch."""
        return self._pipeline.now(_call(TERMINAL_DATA, ids=batch_ids)).rows

    def _publish(self, messages: list[Row]) -> None:
        list(self._threads.map(self._put, batched(messages, ENTRIES_PER_CALL, strict=False)))

    def _put(self, messages: tuple[Row, ...]) -> None:
        entries: list[Any] = [self.entry(message) for message in messages]
        self._put_events.put_events(Entries=entries)


def _call(sql: str, **values: object) -> Call:
    return Call("assign", _STATEMENTS[sql], {name: to_json(value) for name, value in values.items()}, 1)
