"""The port `Ledger`: the record as an audit reads it, each look one statement and so one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.rows import roll_of
from els_core.domain.auditing import Finding, Kind

if TYPE_CHECKING:
    from datetime import timedelta

    from els_core.application.ports import Limits
    from els_core.domain.batches import Roll

# Counts and digests are computed again from the rows, without the code that made them.
SUSPECTS = text("""
WITH checked AS (
    SELECT b.*, s.assigned, s.failed, s.slots, s.digest
    FROM batches AS b CROSS JOIN LATERAL (
        SELECT count(*) AS slots, count(*) FILTER (WHERE status = 'assigned') AS assigned,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            encode(sha256(convert_to(coalesce(string_agg(essay_id || ' ' || text_storage_id || E'\\n', ''
                ORDER BY essay_id || ' ' || text_storage_id COLLATE "C")
                FILTER (WHERE status = 'assigned'), ''), 'UTF8')), 'hex') AS digest
        FROM essays WHERE batch_id = b.batch_id) AS s
    WHERE b.status = 'open'
        OR (b.status <> 'awaited'
            AND b.changed_at > clock_timestamp() - make_interval(secs => CAST(:window AS double precision)))
)
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
UNION ALL
(SELECT 'counts_differ', batch_id, correlation_id, changed_at,
     format('counts are %s + %s of %s, rows are %s + %s of %s', assigned_count, failed_count, expected_count,
         assigned, failed, slots)
 FROM checked WHERE (assigned, failed, slots) <> (assigned_count, failed_count, expected_count)
 ORDER BY changed_at LIMIT :page)
UNION ALL
(SELECT 'digest_differs', batch_id, correlation_id, changed_at,
     format('announced %s, the rows give %s', announced_digest, digest)
 FROM checked WHERE status IN ('ready', 'timed_out') AND digest IS DISTINCT FROM announced_digest
 ORDER BY changed_at LIMIT :page)
""")

IDLE_OPEN = text(f"""{statements.ROLL}
WHERE status = 'open' AND batch_id > :after
    AND changed_at < clock_timestamp() - make_interval(secs => CAST(:idle AS double precision))
ORDER BY batch_id LIMIT :limit
""")


class PostgresLedger(PostgresRepository):
    """The record, read page by page."""

    def suspects(self, limits: Limits, page: int) -> list[Finding]:
        """Read all that the record alone shows, in one statement."""
        parameters = {
            "overdue": limits.overdue.total_seconds(),
            "parked": limits.parked.total_seconds(),
            "unsent": limits.unsent.total_seconds(),
            "window": limits.window.total_seconds(),
            "page": page,
        }
        rows = self._again(
            self._single,
            lambda connection: connection.execute(SUSPECTS, parameters).mappings().all(),
            "find suspects",
        )
        return [
            Finding(Kind(row["kind"]), row["batch_id"], row["detail"], row["correlation_id"], row["since"])
            for row in rows
        ]

    def idle_open(self, idle: timedelta, after: str, limit: int) -> list[Roll]:
        """Read a page of open batches with all that they hold."""
        parameters = {"idle": idle.total_seconds(), "after": after, "limit": limit}
        rows = self._again(
            self._single,
            lambda connection: connection.execute(IDLE_OPEN, parameters).mappings().all(),
            "read open batches",
        )
        return [roll_of(row) for row in rows]
