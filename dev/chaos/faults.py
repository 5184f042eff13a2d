"""What breaks: each fault with how it begins, how it ends, and how long it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.servers.postgres import PostgresServer

FROZEN_SECONDS = 15.0  # longer than the functions may run
REFUSED_SECONDS = 4.0
DOWN_SECONDS = 3.0

# Statements that meet a full disk in the middle of a transaction get this SQLSTATE. Two of three do, so that
# some transactions fail at their first write and some at their last.
FULL_DISK = """
CREATE OR REPLACE FUNCTION meet_a_full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.67 THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NULL;
END $$
"""
FILLED = ("essays", "outbox", "parked_arrivals")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    seconds: float

    @property
    def part(self) -> str:
        """Return which server it concerns: two faults of one server cannot happen at once."""
        return self.name.split(":", maxsplit=1)[0]


@dataclass(frozen=True)
class Record:
    """Postgres and what can happen to it."""

    server: PostgresServer

    def faults(self) -> Sequence[Fault]:
        """Return what can happen to the record."""
        server = self.server
        return (
            Fault("Postgres: restarted", server.stop, server.start, DOWN_SECONDS),
            Fault("Postgres: crashed", server.kill, server.start, DOWN_SECONDS),
            Fault("Postgres: every connection cut", lambda: _ignore(server.cut()), lambda: None, 1),
            Fault("Postgres: frozen longer than the timeout", server.freeze, server.thaw, FROZEN_SECONDS),
            Fault("Postgres: read-only", self._refuse, server.accept_writes, REFUSED_SECONDS),
            Fault("Postgres: disk full", self._fill, self._empty, REFUSED_SECONDS),
        )

    def _refuse(self) -> None:
        self.server.refuse_writes()

    def _fill(self) -> None:
        self.server.execute(FULL_DISK)
        for table in FILLED:
            self.server.execute(
                f"CREATE TRIGGER full_disk AFTER INSERT OR UPDATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION meet_a_full_disk()"
            )

    def _empty(self) -> None:
        for table in FILLED:
            self.server.execute(f"DROP TRIGGER IF EXISTS full_disk ON {table}")


def _ignore(_: object) -> None:
    """Drop an answer that nobody needs."""
