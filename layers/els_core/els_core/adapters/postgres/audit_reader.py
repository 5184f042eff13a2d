"""The port `AuditReader`: each method is one statement, so that each reads one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.rows import finding_of, snapshot_of
from els_core.adapters.postgres.session import PostgresSession

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Engine

    from els_core.application.ports.audit_reader import StuckThresholds
    from els_core.domain.audit import Finding
    from els_core.domain.batches import BatchSnapshot


class PostgresAuditReader:
    """The port `AuditReader` on an engine."""

    def __init__(self, engine: Engine) -> None:
        self._session = PostgresSession(engine)

    def find_stuck(self, limits: StuckThresholds, page: int) -> list[Finding]:
        """Find what has waited for too long, as far as Postgres alone can tell."""
        rows = self._session.read(
            statements.FIND_STUCK,
            overdue=limits.overdue.total_seconds(),
            parked=limits.parked.total_seconds(),
            unsent=limits.unsent.total_seconds(),
            page=page,
        )
        return [finding_of(row) for row in rows]

    def recount(self, window: timedelta, after: str, page: int) -> tuple[list[Finding], str | None]:
        """Compute the counts and digests of a page of batches again."""
        rows = self._session.read(
            statements.RECOUNT_BATCHES, window=window.total_seconds(), after=after, page=page
        )
        last = next((row["batch_id"] for row in rows if row["kind"] is None), None)
        return [finding_of(row) for row in rows if row["kind"] is not None], last

    def idle_open(self, idle: timedelta, after: str, limit: int) -> list[BatchSnapshot]:
        """Read a page of open batches with all that belongs to them."""
        rows = self._session.read(
            statements.READ_IDLE_OPEN_BATCHES, idle=idle.total_seconds(), after=after, limit=limit
        )
        return [snapshot_of(row) for row in rows]
