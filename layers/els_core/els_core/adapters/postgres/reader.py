"""The port `Reader`: what people ask about batches, each answer one statement and so one moment."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.reading_rows import (
    found_of,
    history_of,
    item_of,
    listed_of,
    overview_of,
    position_of,
)
from els_core.application.ports.reading import BatchItems, ListPage

if TYPE_CHECKING:
    from els_core.adapters.postgres.session import Session
    from els_core.application.ports.history import FoundPosition, FoundRow, HistoryPosition, HistoryRow
    from els_core.application.ports.reading import BatchFilter, BatchOverview, ItemPosition, ListPosition

SCANNED = 5_000  # batches that a page looks at when a filter has no index


class PostgresReader:
    """Postgres, read without locks. The session must not name its statements: they are planned by values."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def batches(
        self, wanted: BatchFilter, after: ListPosition | None, limit: int, org_id: str | None
    ) -> ListPage:
        """Read a page of a list."""
        filters = asdict(wanted)
        waits = {name: filters.pop(name) for name in ("is_stuck", "has_parked")}
        parameters = filters | {
            "caller_org_id": org_id,
            "before": after.created_at if after else None,
            "before_id": after.batch_id if after else None,
            "limit": limit + 1,
        }
        if any(waits.values()):
            statement, more = statements.LIST_WAITING_BATCHES, waits
        else:
            is_filtered = wanted.status is not None or wanted.course_code is not None
            statement, more = statements.LIST_BATCHES, {"scan": max(SCANNED * is_filtered, limit + 1)}
        rows = self._session.read("list batches", statement, parameters | more)
        found = [listed_of(row) for row in rows if not row["is_end"]]
        if len(found) > limit:
            return ListPage(found[:limit], found[limit - 1].position)
        ends = [listed_of(row).position for row in rows if row["is_end"]]
        return ListPage(found, next(iter(ends), None))

    def overview(self, batch_id: str, named: int, org_id: str | None) -> BatchOverview | None:
        """Read where a batch stands."""
        parameters = {"batch_id": batch_id, "named": named, "caller_org_id": org_id}
        rows = self._session.read("read a batch", statements.READ_OVERVIEW, parameters)
        return overview_of(rows[0]) if rows else None

    def items(self, batch_id: str, position: ItemPosition, max_bytes: int) -> BatchItems:
        """Read a page of slots, late failures and excess contents."""
        parameters = {
            "batch_id": batch_id,
            "section": position.section,
            "after": position.after,
            "max_bytes": max_bytes,
        }
        rows = self._session.read("read items of a batch", statements.READ_ITEMS, parameters)
        is_last = not rows or rows[-1]["is_last"]
        return BatchItems(
            [item_of(row) for row in rows], None if is_last else position_of(rows[-1], position.epoch)
        )

    def history(
        self, batch_id: str, after: HistoryPosition | None, limit: int, org_id: str | None
    ) -> list[HistoryRow]:
        """Read a page of what happened to a batch."""
        parameters = {
            "batch_id": batch_id,
            "after": after.at if after else None,
            "section": after.section if after else 0,
            "key": after.key if after else "",
            "caller_org_id": org_id,
            "limit": limit,
        }
        rows = self._session.read("read a history", statements.READ_HISTORY, parameters)
        return [history_of(row) for row in rows]

    def find(
        self, searched: str, after: FoundPosition | None, limit: int, org_id: str | None
    ) -> list[FoundRow]:
        """Look an id up in all batches."""
        parameters = {
            "searched": searched,
            "caller_org_id": org_id,
            "after_batch": after.batch_id if after else "",
            "after_kind": after.kind if after else "",
            "after_identity": after.identity if after else "",
            "limit": limit,
        }
        rows = self._session.read("find an id", statements.FIND_ARRIVALS, parameters)
        return [found_of(row) for row in rows]
