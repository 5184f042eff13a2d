"""Real stores, filled by bulk SQL with the largest that the contract allows."""

from __future__ import annotations

from contextlib import ExitStack

from pg8000.native import Connection

from benchmarks.loopback_bus import LoopbackBus
from dev.limits import sql
from dev.programs.lifecycle import Lifecycle
from dev.programs.process import run_to_end
from dev.programs.tools import ROOT, environment
from dev.servers.postgres import USER, PostgresServer
from dev.servers.valkey import ValkeyServer

MIGRATE = "from els_core.bootstrap import container; container().migrate_database()"
MIGRATE_SECONDS = 120
BATCHES_AT_ONCE = 10
ROWS_AT_ONCE = 20_000


class Stores(Lifecycle):
    """A real Postgres, a real Valkey and a bus on the loopback."""

    def __init__(self) -> None:
        self.postgres = PostgresServer()
        self.valkey = ValkeyServer()
        self.bus = LoopbackBus()
        self._servers = ExitStack()

    def _open(self) -> None:
        for server in (self.postgres, self.valkey, self.bus):
            self._servers.enter_context(server)
        command = ["python", "-c", MIGRATE]
        run_to_end(command, MIGRATE_SECONDS, cwd=ROOT, environment=self.environment())

    def close(self) -> None:
        """Stop every server."""
        self._servers.close()

    def environment(self) -> dict[str, str]:
        """Return the environment of a function on these stores."""
        return environment(
            PYTHONPATH=str(ROOT),
            AWS_ENDPOINT_URL=self.bus.url,
            ELS_DATABASE_URL=self.postgres.url,
            ELS_REDIS_URL=self.valkey.url,
            ELS_EVENT_BUS="outbound",
            ELS_DEAD_LETTER_QUEUE_URL=f"{self.bus.url}/dead",
        )

    def empty(self) -> None:
        """Delete everything."""
        self.run(sql.EMPTY)
        with self.valkey.client() as client:
            client.flushall()
        self.bus.take_summary()

    def run(self, statement: str, **parameters: object) -> list[list[object]]:
        """Run one statement without a time limit and return its rows."""
        connection = Connection(USER, host="127.0.0.1", port=self.postgres.port, database="postgres")
        try:
            connection.run("SET statement_timeout = 0")
            rows: list[list[object]] = connection.run(statement, **parameters)
        finally:
            connection.close()
        return rows

    def count(self, statement: str) -> int:
        """Return the number that a statement answers."""
        [[number]] = self.run(statement)
        return int(str(number))

    def fill_batches(self, batches: int, slots: int, free: int, seconds: int = 3_600) -> None:
        """Store open batches with contents in all but `free` slots, and a deadline in so many seconds."""
        for first in range(0, batches, BATCHES_AT_ONCE):
            last = min(first + BATCHES_AT_ONCE, batches) - 1
            bounds = {"first": first, "last": last, "slots": slots, "free": free}
            self.run(sql.OPEN_BATCHES, **bounds, seconds=seconds)
            self.run(sql.SLOTS, **bounds)
        self.run("ANALYZE")

    def park(self, batches: int, arrivals: int) -> None:
        """Store awaited batches with so many parked arrivals each, two hours old."""
        for first in range(0, batches, ROWS_AT_ONCE):
            last = min(first + ROWS_AT_ONCE, batches) - 1
            self.run(sql.AWAITED, first=first, last=last)
            self.run(sql.PARKED, first=first, last=last, arrivals=arrivals)
        self.run("ANALYZE")

    def add_late_failures(self, count: int) -> None:
        """Store late failures of the first batch."""
        for first in range(0, count, ROWS_AT_ONCE):
            self.run(sql.LATE, first=first, last=min(first + ROWS_AT_ONCE, count) - 1)
        self.run("ANALYZE")

    def fill_outbox(self, others: int, finals: int, final_bytes: int) -> None:
        """Store so many events that are no final results, and after them final results of that size."""
        for first in range(0, others, ROWS_AT_ONCE):
            self.run(sql.OUTBOX, first=first, last=min(first + ROWS_AT_ONCE, others) - 1)
        for at in range(finals):
            self.run(sql.FINAL, at=at, bytes=final_bytes)
        self.run("ANALYZE")
