"""The servers of a benchmark: emptied before each run, and asked after it whether all the work was done."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from benchmarks.loopback_bus import LoopbackBus
from dev.deploy.template import Template
from dev.programs.lifecycle import Lifecycle
from dev.programs.tools import REGION
from dev.servers.postgres import USER, PostgresServer
from dev.servers.valkey import ValkeyServer
from els_core import bootstrap
from els_core.adapters.redis import keys
from els_core.application.budgets import always

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.workload import Workload

BUS = "outbound"
PAGE = 10_000  # rows
FUNCTION, DEAD_LETTER_QUEUE = "ProvisionContentFunction", "ProvisionContentDeadLetters"

# Ended batches, counted slots, used slots, arrivals without a slot, unsent events.
TOTALS = """
SELECT count(*) FILTER (WHERE status IN ('ready', 'failed')), sum(assigned_count + failed_count),
    (SELECT count(*) FROM essays WHERE status <> 'available'),
    (SELECT count(*) FROM excess_contents)
        + (SELECT count(*) FROM validation_failures WHERE essay_id IS NULL),
    (SELECT count(*) FROM outbox)
FROM batches
"""


class Servers(Lifecycle):
    """A real Valkey, a real Postgres with fsync, and a loopback bus in place of EventBridge."""

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
                raise RuntimeError(f"Postgres runs with {setting} off: a benchmark needs it on")
        os.environ.update(self._environment())
        bootstrap.container.cache_clear()
        bootstrap.container().migrate_database()

    def close(self) -> None:
        """Stop every server."""
        self._servers.close()

    def url_for_others(self) -> str:
        """Return the libpq URL of an empty database of its own, for a program with another schema."""
        self.postgres.drop_database("others")
        self.postgres.create_database("others")
        return f"postgresql://{USER}@127.0.0.1:{self.postgres.port}/others"

    def empty(self) -> None:
        """Empty the stores and the bus."""
        self.postgres.execute("TRUNCATE batches, outbox CASCADE")
        with self.valkey.client() as client:
            client.flushall()
        self.bus.take_summary()

    def reset(self, workload: Workload) -> None:
        """Empty the stores and the bus, and register the batches of a workload."""
        self.empty()
        bootstrap.container().register_batch().process(workload.registrations, always)
        self.bus.take_summary()

    def register_again(self, workload: Workload) -> None:
        """Remove the batches of a workload with all that came for them, and register them again."""
        ids = ", ".join(f"'{one.batch_id}'" for one in workload.registrations)
        for table in ("outbox", "batches"):
            self.postgres.execute(f"DELETE FROM {table} WHERE batch_id IN ({ids})")  # noqa: S608 - our own ids
        with self.valkey.client() as client:
            for one in workload.registrations:
                client.delete(*(keys.key(one.batch_id, name) for name in keys.ALL))
        bootstrap.container().register_batch().process(workload.registrations, always)

    def fill(self, sql: str, count: int, **values: int) -> None:
        """Insert rows by a statement with {first} and {last}, in pages within the role's time limit."""
        for first in range(1, count + 1, PAGE):
            last = min(first + PAGE - 1, count)
            self.postgres.execute(sql.format(first=first, last=last, **values))
        self.postgres.execute("ANALYZE")  # so that Postgres plans for what the tables hold now

    @property
    def ports(self) -> dict[str, int]:
        """Return the port of each store."""
        return {"Postgres": self.postgres.port, "Redis": self.valkey.port, "bus": self.bus.port}

    @contextmanager
    def through(self, ports: Mapping[str, int]) -> Iterator[None]:
        """Let the service reach its stores through other ports, and be built anew with them."""
        before = dict(os.environ)
        for store, port in self.ports.items():
            own, other = f"127.0.0.1:{port}", f"127.0.0.1:{ports[store]}"
            os.environ.update({name: value.replace(own, other) for name, value in os.environ.items()})
        self._rebuild()
        try:
            yield
        finally:
            os.environ.update(before)
            self._rebuild()

    def check_results(self, workload: Workload) -> None:
        """Raise unless every batch has ended with one terminal event, and every arrival is in Postgres."""
        slots, batches = workload.size.total_slots, workload.size.batches
        expected = [batches, slots, slots, workload.excess, 0]
        [totals] = self.postgres.execute(TOTALS)
        if totals != expected:
            raise RuntimeError(f"after {workload.size} Postgres has the totals {totals}, not {expected}")
        terminal = self.bus.take_summary()["terminal"]
        if len(terminal) != batches or any(len(ids) != 1 for ids in terminal.values()):
            raise RuntimeError(
                f"{len(terminal)} of {batches} batches had terminal events, or one had several"
            )

    def check_proposals(self, workload: Workload) -> None:
        """Raise unless Redis has proposed every slot."""
        with self.valkey.client() as client:
            pipeline = client.pipeline(transaction=False)
            for registration in workload.registrations:
                for name in (keys.CONTENTS, keys.FAILURES):
                    pipeline.hlen(keys.key(registration.batch_id, name))
            proposed = sum(pipeline.execute())
        if proposed != workload.size.total_slots:
            raise RuntimeError(f"Redis proposed {proposed} of {workload.size.total_slots} slots")

    def _rebuild(self) -> None:
        bootstrap.container().close()
        bootstrap.container.cache_clear()

    def _environment(self) -> dict[str, str]:
        values = {
            "DatabaseUrl": self.postgres.url,
            "RedisUrl": self.valkey.url,
            "OutboundBusName": BUS,
            DEAD_LETTER_QUEUE: f"{self.bus.url}/dead-letters",
        }
        return {
            **Template.read(values).environment(FUNCTION),
            "AWS_ENDPOINT_URL": self.bus.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
