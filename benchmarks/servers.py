"""The servers of a benchmark, emptied between rounds, and the judge of what a round left in them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.loopback_bus import LoopbackBus
from dev.programs.lifecycle import Lifecycle
from dev.programs.tools import REGION
from dev.servers.postgres import PostgresServer
from dev.servers.valkey import ValkeyServer
from els_core import bootstrap

if TYPE_CHECKING:
    from benchmarks.workload import Trace

BUS = "outbound"

CLOSED = """
SELECT count(*) FILTER (WHERE status IN ('ready', 'failed')), sum(assigned_count + failed_count),
    (SELECT count(*) FROM essays WHERE status <> 'available'),
    (SELECT count(*) FROM excess_contents)
        + (SELECT count(*) FROM validation_failures WHERE essay_id IS NULL),
    (SELECT count(*) FROM outbox)
FROM batches
"""


class Stores(Lifecycle):
    """A real Valkey, a real Postgres that waits for the disk, and a bus on the loopback."""

    def __init__(self) -> None:
        self.postgres = PostgresServer()
        self.valkey = ValkeyServer()
        self.bus = LoopbackBus()
        self._servers = ExitStack()

    def _open(self) -> None:
        for server in (self.postgres, self.valkey, self.bus):
            self._servers.enter_context(server)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if self.postgres.execute(f"SHOW {setting}") != [["on"]]:
                raise RuntimeError(f"Postgres runs with {setting} off")
        os.environ.update(self._environment())
        bootstrap.container.cache_clear()
        bootstrap.container().migrate_database()

    def close(self) -> None:
        """Close every server."""
        self._servers.close()

    def _environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.bus.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "ELS_DATABASE_URL": self.postgres.url,
            "ELS_REDIS_URL": self.valkey.url,
            "ELS_EVENT_BUS": BUS,
            "ELS_DEAD_LETTER_QUEUE_URL": f"{self.bus.url}/dead",
        }

    def refill(self, trace: Trace) -> None:
        """Empty everything and register the batches of a trace."""
        self.postgres.execute("TRUNCATE batches, outbox CASCADE")
        with self.valkey.client() as client:
            client.flushall()
        bootstrap.container().register_batch().process(trace.registrations)
        self.bus.take_out()

    def judge(self, trace: Trace) -> None:
        """Raise unless every batch is closed and announced once and every arrival is accounted for."""
        items, batches = trace.shape.items, trace.shape.batches
        [found] = self.postgres.execute(CLOSED)
        if found != [batches, items, items, trace.excess, 0]:
            raise RuntimeError(f"Postgres holds {found} after {trace.shape}")
        told = self.bus.take_out()["terminal"]
        if len(told) != batches or any(len(ids) != 1 for ids in told.values()):
            raise RuntimeError(f"the bus took final results of {len(told)} of {batches} batches")

    def judge_proposals(self, trace: Trace) -> None:
        """Raise unless Redis has handed out every slot."""
        with self.valkey.client() as client:
            pipeline = client.pipeline(transaction=False)
            for registration in trace.registrations:
                pipeline.hlen(f"batch:{{{registration.batch_id}}}:contents")
                pipeline.hlen(f"batch:{{{registration.batch_id}}}:failures")
            found = sum(pipeline.execute())
        if found != trace.shape.items:
            raise RuntimeError(f"Redis handed out {found} of {trace.shape.items} slots")
