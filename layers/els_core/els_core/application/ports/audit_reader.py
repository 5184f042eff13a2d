"""Postgres as the audit reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from els_core.domain.audit import Finding
    from els_core.domain.batches import BatchSnapshot


@dataclass(frozen=True, slots=True)
class StuckThresholds:
    """The ages from which an audit reports an overdue batch, a parked arrival and an unsent event."""

    overdue: timedelta
    parked: timedelta
    unsent: timedelta


class AuditReader(Protocol):
    """Reads without locks. Raises what `Repository` raises."""

    def find_stuck(self, thresholds: StuckThresholds, limit: int) -> list[Finding]:
        """Return what has been waiting for too long, at most `limit` findings of each kind."""
        ...

    def recount(self, window: timedelta, after: str, limit: int) -> tuple[list[Finding], str | None]:
        """Compute counts and digests again from the rows of a page of batches with ids above `after`.

        Covers open batches, and closed ones that changed within `window`. Also returns the last id of the
        page, or None at the end.
        """
        ...

    def idle_open(self, idle: timedelta, after: str, max_slots: int) -> list[str]:
        """Return ids above `after` of open batches unchanged for `idle`, sorted.

        At most `max_slots` slots together, but at least one batch.
        """
        ...

    def idle_snapshots(self, idle: timedelta, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Return those of the batches that are still open and unchanged for `idle`, sorted by id."""
        ...
