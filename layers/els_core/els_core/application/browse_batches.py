"""List batches, tell what happened to one, and find an id in all of them, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.ports.history import FoundPosition, FoundRow, HistoryPosition, HistoryRow
    from els_core.application.ports.reading import BatchFilter, ListPage, ListPosition, Reader


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of a history, the oldest entry first; `next_page` is None when nothing follows."""

    rows: Sequence[HistoryRow]
    next_page: HistoryPosition | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page of finds, in byte order of the batches; `next_page` is None when nothing follows."""

    rows: Sequence[FoundRow]
    next_page: FoundPosition | None


@dataclass(frozen=True, slots=True)
class BrowseBatches:
    """Shows a caller only the batches of its organisation, `org_id`, or all where that is None."""

    reader: Reader
    org_id: str | None = None

    def batches(self, wanted: BatchFilter, after: ListPosition | None, limit: int) -> ListPage:
        """Return a page of a list, the newest batch first."""
        return self.reader.batches(wanted, after, limit, self.org_id)

    def history(self, batch_id: str, after: HistoryPosition | None, limit: int) -> HistoryPage | None:
        """Return a page of what happened to a batch; None for an unknown batch."""
        rows = self.reader.history(batch_id, after, limit + 1, self.org_id)
        if not rows and after is None:  # what was named has an entry that says so
            return None
        return HistoryPage(rows[:limit], rows[limit - 1].position if len(rows) > limit else None)

    def find(self, searched: str, after: FoundPosition | None, limit: int) -> FoundPage:
        """Return a page of the places where an id occurs."""
        rows = self.reader.find(searched, after, limit + 1, self.org_id)
        return FoundPage(rows[:limit], rows[limit - 1].position if len(rows) > limit else None)
