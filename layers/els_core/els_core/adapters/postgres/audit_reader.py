"""The port `AuditReader`: the record as an audit reads it, each look one statement and so one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.rows import snapshot_of
from els_core.domain.audit import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from sqlalchemy import TextClause
    from sqlalchemy.engine import RowMapping

    from els_core.application.ports.audit_reader import StuckThresholds
    from els_core.domain.batches import BatchSnapshot

SUSPECTS = text("""
(SELECT 'overdue_open' AS kind, batch_id, correlation_id, deadline AS since,
     'open past its deadline' AS detail
 FROM batches WHERE status = 'open'
     AND deadline < clock_timestamp() - make_interval(secs => CAST(:overdue AS double precision))
 ORDER BY deadline LIMIT :page)
UNION ALL
(SELECT 'parked_too_long', batch_id, min(arrival ->> 'correlation_id'), min(parked_at),
     count(*) || ' arrivals wait for a registration'
 FROM parked_arrivals
 WHERE parked_at < clock_timestamp() - make_interval(secs => CAST(:parked AS double precision))
 GROUP BY batch_id ORDER BY min(parked_at) LIMIT :page)
UNION ALL
(SELECT 'outbox_too_old', batch_id, NULL, created_at, detail_type || ' ' || event_id || ' is not sent'
 FROM outbox WHERE created_at < clock_timestamp() - make_interval(secs => CAST(:unsent AS double precision))
 ORDER BY position LIMIT :page)
""")

# Counts and digests, computed again from the rows without the code that made them. The last row, of no kind,
# says where the page ended.
RECOUNT = text("""
WITH page AS MATERIALIZED (
    SELECT * FROM batches WHERE batch_id > :after AND (status = 'open' OR (status <> 'awaited'
        AND changed_at > clock_timestamp() - make_interval(secs => CAST(:window AS double precision))))
    ORDER BY batch_id LIMIT :page
), checked AS MATERIALIZED (
    SELECT p.*, s.assigned, s.failed, s.slots, s.digest
    FROM page AS p CROSS JOIN LATERAL (
        SELECT count(*) AS slots, count(*) FILTER (WHERE status = 'assigned') AS assigned,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            encode(sha256(convert_to(coalesce(string_agg(essay_id || ' ' || text_storage_id || E'\\n', ''
                ORDER BY essay_id || ' ' || text_storage_id COLLATE "C")
                FILTER (WHERE status = 'assigned'), ''), 'UTF8')), 'hex') AS digest
        FROM essays WHERE batch_id = p.batch_id) AS s
)
SELECT 'counts_differ' AS kind, batch_id, correlation_id, changed_at AS since,
    format('counts are %s + %s of %s, rows are %s + %s of %s', assigned_count, failed_count, expected_count,
        assigned, failed, slots) AS detail
FROM checked WHERE (assigned, failed, slots) <> (assigned_count, failed_count, expected_count)
UNION ALL
SELECT 'digest_differs', batch_id, correlation_id, changed_at,
    format('announced %s, the rows give %s', announced_digest, digest)
FROM checked WHERE status IN ('ready', 'timed_out') AND digest IS DISTINCT FROM announced_digest
UNION ALL
(SELECT NULL, batch_id, NULL, NULL, NULL FROM page ORDER BY batch_id DESC LIMIT 1)
""")

IDLE_OPEN = text(f"""{statements.ROLL}
WHERE status = 'open' AND batch_id > :after
    AND changed_at < clock_timestamp() - make_interval(secs => CAST(:idle AS double precision))
ORDER BY batch_id LIMIT :limit
""")


class PostgresAuditReader(PostgresRepository):
    """The record, read page by page."""

    def find_stuck(self, limits: StuckThresholds, page: int) -> list[Finding]:
        """Read all that the record alone shows, in one statement."""
        parameters = {
            "overdue": limits.overdue.total_seconds(),
            "parked": limits.parked.total_seconds(),
            "unsent": limits.unsent.total_seconds(),
            "page": page,
        }
        return [_finding(row) for row in self._read(SUSPECTS, parameters, "find suspects")]

    def recount(self, window: timedelta, after: str, page: int) -> tuple[list[Finding], str | None]:
        """Compute counts and digests of a page of batches again."""
        parameters = {"window": window.total_seconds(), "after": after, "page": page}
        rows = self._read(RECOUNT, parameters, "recount batches")
        ends = [row["batch_id"] for row in rows if row["kind"] is None]
        return [_finding(row) for row in rows if row["kind"]], next(iter(ends), None)

    def idle_open(self, idle: timedelta, after: str, limit: int) -> list[BatchSnapshot]:
        """Read a page of open batches with all that they hold."""
        parameters = {"idle": idle.total_seconds(), "after": after, "limit": limit}
        return [snapshot_of(row) for row in self._read(IDLE_OPEN, parameters, "read open batches")]

    def _read(
        self, statement: TextClause, parameters: Mapping[str, Any], operation: str
    ) -> Sequence[RowMapping]:
        return self._again(
            self._single,
            lambda connection: connection.execute(statement, parameters).mappings().all(),
            operation,
        )


def _finding(row: RowMapping) -> Finding:
    return Finding(
        FindingKind(row["kind"]), row["batch_id"], row["detail"], row["correlation_id"], row["since"]
    )
