"""The port `AuditReader`: Postgres as an audit reads it, each look one statement and so one snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.calls import json_of
from els_core.adapters.postgres.rows import snapshot_of
from els_core.domain.audit import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from els_core.adapters.postgres.rows import Row
    from els_core.adapters.postgres.session import Session
    from els_core.application.ports.audit_reader import StuckThresholds
    from els_core.domain.batches import BatchSnapshot


class PostgresAuditReader:
    """Postgres, read page by page."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_stuck(self, thresholds: StuckThresholds, limit: int) -> list[Finding]:
        """Find in one statement everything that Postgres alone shows."""
        parameters = {
            "overdue": thresholds.overdue.total_seconds(),
            "parked": thresholds.parked.total_seconds(),
            "unsent": thresholds.unsent.total_seconds(),
            "limit": limit,
        }
        return [_finding(row) for row in self._session.read("find stuck", statements.FIND_STUCK, parameters)]

    def recount(self, window: timedelta, after: str, limit: int) -> tuple[list[Finding], str | None]:
        """Compute counts and digests of a page of batches again."""
        parameters = {"window": window.total_seconds(), "after": after, "limit": limit}
        rows = self._session.read("recount batches", statements.RECOUNT, parameters)
        ends = [row["batch_id"] for row in rows if row["kind"] is None]
        return [_finding(row) for row in rows if row["kind"]], next(iter(ends), None)

    def idle_open(self, idle: timedelta, after: str, max_slots: int) -> list[str]:
        """Find a page of idle open batches."""
        parameters = {"idle": idle.total_seconds(), "after": after, "max_slots": max_slots}
        rows = self._session.read("find idle batches", statements.FIND_IDLE_OPEN, parameters)
        return [row["batch_id"] for row in rows]

    def idle_snapshots(self, idle: timedelta, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Read those batches that are still open and idle."""
        parameters = {"ids": json_of(list(batch_ids)), "idle": idle.total_seconds()}
        rows = self._session.read("read idle batches", statements.READ_SNAPSHOTS, parameters)
        return [snapshot_of(row) for row in rows]


def _finding(row: Row) -> Finding:
    kind = FindingKind(row["kind"])
    return Finding(kind, row["batch_id"], row["detail"], row["correlation_id"], row["since"])
