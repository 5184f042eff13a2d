"""What the reader answers in the unit tests of reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from els_core.application.ports.reading import (
    Announcement,
    BatchItems,
    BatchOverview,
    BatchOwner,
    BatchTimes,
    ListPage,
)
from tests.factories import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.ports.history import FoundPosition, FoundRow, HistoryPosition, HistoryRow
    from els_core.application.ports.reading import BatchFilter, ItemPosition, ListPosition
    from els_core.domain.batches import Batch

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOW = DEADLINE - 41 * MINUTE
TIMES = BatchTimes(NOW - 5 * HOUR, NOW - HOUR)
SENT = Announcement(UUID(int=1), "BatchEssaysReady", NOW - 2 * HOUR, None)


def overview_of(batch: Batch, announcement: Announcement | None = None) -> BatchOverview:
    """Return where a batch stands while both jobs run as they should."""
    ran = NOW - timedelta(seconds=30)
    return BatchOverview(
        batch, NOW, BatchOwner(), TIMES, announcement=announcement, last_sweep=ran, last_relay=ran
    )


@dataclass
class StubReader:
    """Answers what it was made with, and notes what it was asked."""

    found: BatchOverview | None = None
    rows: Sequence[HistoryRow] = ()
    finds: Sequence[FoundRow] = ()
    asked: list[object] = field(default_factory=list)

    def batches(
        self, wanted: BatchFilter, after: ListPosition | None, limit: int, org_id: str | None
    ) -> ListPage:
        self.asked.append((wanted, after, limit, org_id))
        return ListPage([])

    def overview(self, batch_id: str, named: int, org_id: str | None) -> BatchOverview | None:
        self.asked.append((batch_id, named, org_id))
        return self.found

    def items(self, batch_id: str, position: ItemPosition, max_bytes: int) -> BatchItems:
        self.asked.append((batch_id, position, max_bytes))
        return BatchItems([])

    def history(
        self, batch_id: str, after: HistoryPosition | None, limit: int, org_id: str | None
    ) -> list[HistoryRow]:
        self.asked.append((batch_id, after, limit, org_id))
        return list(self.rows[:limit])

    def find(
        self, searched: str, after: FoundPosition | None, limit: int, org_id: str | None
    ) -> list[FoundRow]:
        self.asked.append((searched, after, limit, org_id))
        return list(self.finds[:limit])
