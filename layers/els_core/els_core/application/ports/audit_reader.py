"""Postgres, as the audit reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from els_core.domain.audit import Finding
    from els_core.domain.batches import BatchSnapshot


@dataclass(frozen=True, slots=True)
class StuckThresholds:
    """How old a thing is when an audit reports it."""

    overdue: timedelta
    parked: timedelta
    unsent: timedelta


class AuditReader(Protocol):
    """Postgres, as the audit reads it; raises what `Repository` raises."""

    def find_stuck(self, limits: StuckThresholds, page: int) -> list[Finding]:
        """Return what waits for too long, at most `page` of each kind."""
        ...

    def recount(self, window: timedelta, after: str, page: int) -> tuple[list[Finding], str | None]:
        """Compute counts and digests again from the rows of a page of batches with ids above `after`.

        Open batches, and closed ones that changed within `window`. Returns the last id too, None at the end.
        """
        ...

    def idle_open(self, idle: timedelta, after: str, limit: int) -> list[BatchSnapshot]:
        """Return open batches unchanged for `idle`, with ids above `after`, in the order of their ids."""
        ...
