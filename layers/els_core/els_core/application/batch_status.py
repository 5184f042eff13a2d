"""Read where a batch stands, from Postgres, with a page of its items and whose move it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.application.ports.reading import BatchItems, ItemPosition
from els_core.application.sentences import describe

if TYPE_CHECKING:
    from els_core.application.ports.reading import BatchOverview, Reader
    from els_core.application.sentences import Move

NAMED = 5  # missing slots that the sentence names; the complete list stands beside it
# What the items of a page take in JSON; the rest of an answer is small, so that all of it stays below 1 MB.
PAGE_BYTES = 800_000


@dataclass(frozen=True, slots=True)
class BatchDescription:
    """Where a batch stands, whose move it is, and a page of its items."""

    overview: BatchOverview
    move: Move
    items: BatchItems


@dataclass(frozen=True, slots=True)
class EpochChanged:
    """The page token is of another epoch: the batch was re-opened since, and its items moved."""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Answers from Postgres, never from Redis, so the answer is true."""

    reader: Reader
    page_bytes: int = PAGE_BYTES

    def read(
        self, batch_id: str, page: ItemPosition | None = None, org_id: str | None = None
    ) -> BatchDescription | EpochChanged | None:
        """Return the batch with a page of its items; None if nobody named it, or for another organisation."""
        overview = self.reader.overview(batch_id, NAMED, org_id)
        if overview is None:
            return None
        if page is not None and page.epoch != overview.batch.epoch:
            return EpochChanged()
        position = page or ItemPosition(overview.batch.epoch)
        items = self.reader.items(batch_id, position, self.page_bytes)
        return BatchDescription(overview, describe(overview), items)
