"""Faults that are injected: how each begins and ends, how long it lasts, and those of Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.servers.postgres import PostgresServer

INSTANT_SECONDS = 1.0  # the fault is over at once; this is how long its consequences are watched
FROZEN_SECONDS = 15.0  # longer than the timeout of a function
READ_ONLY_SECONDS = 4.0
DOWN_SECONDS = 3.0

# Raises what Postgres raises for a full disk. Two of three statements fail, so that some transactions are
# rolled back at their first write and some at their last.
DISK_FULL = """
CREATE OR REPLACE FUNCTION raise_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.67 THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NULL;
END $$
"""
TABLES_ON_FULL_DISK = ("essays", "outbox", "parked_arrivals")


@dataclass(frozen=True)
class Fault:
    """A fault of one server, from `begin` to `end`."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    seconds: float


@dataclass(frozen=True)
class PostgresFaults:
    """The faults that can be injected into Postgres."""

    server: PostgresServer

    def faults(self) -> Sequence[Fault]:
        """Return all of them."""
        server = self.server
        return (
            Fault("Postgres: restarted", server.stop, server.start, DOWN_SECONDS),
            Fault("Postgres: crashed", server.kill, server.start, DOWN_SECONDS),
            Fault("Postgres: every connection cut", self._cut_connections, nothing_to_end, INSTANT_SECONDS),
            Fault("Postgres: frozen longer than the timeout", server.freeze, server.thaw, FROZEN_SECONDS),
            Fault("Postgres: read-only", server.refuse_writes, server.accept_writes, READ_ONLY_SECONDS),
            Fault("Postgres: disk full", self._fill_disk, self._free_disk, READ_ONLY_SECONDS),
        )

    def _cut_connections(self) -> None:
        self.server.cut()

    def _fill_disk(self) -> None:
        self.server.execute(DISK_FULL)
        for table in TABLES_ON_FULL_DISK:
            self.server.execute(
                f"CREATE TRIGGER disk_full AFTER INSERT OR UPDATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION raise_disk_full()"
            )

    def _free_disk(self) -> None:
        for table in TABLES_ON_FULL_DISK:
            self.server.execute(f"DROP TRIGGER IF EXISTS disk_full ON {table}")


def nothing_to_end() -> None:
    """Do nothing: the fault is over as soon as it has begun."""
