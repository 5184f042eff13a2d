"""Redis: proposes slots, and answers questions of the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.domain.arrivals import Arrival
    from els_core.domain.audit import CoordinatorView, UnreadableView
    from els_core.domain.batches import AssignedSlot, BatchSnapshot
    from els_core.domain.outcomes import Proposal


@dataclass(frozen=True, slots=True)
class CoordinatorUpdate:
    """A batch to write to Redis, and the impossible version that Redis claimed for it, if it did."""

    snapshot: BatchSnapshot
    replaces: int | None = None


class Coordinator(Protocol):
    """May forget, lag or answer nonsense: everything that it says is a hint.

    Every method raises `ExternalServiceError(service="Redis")` when Redis is unavailable.
    """

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        """Propose a slot per arrival in one round trip, atomically per batch and idempotently."""
        ...

    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        """Write batches as they stood at the version of their row; never replace a newer version.

        The version that an update `replaces` is replaced although it is newer: it cannot be true.
        """
        ...

    def get_assigned_count(self, batch_id: str) -> int:
        """Return the number of slots that are proposed to contents."""
        ...

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        """Return the slots that are proposed to contents, sorted by essay id."""
        ...

    def get_missing_slots(self, batch_id: str) -> list[str]:
        """Return the free slots, sorted."""
        ...


class CoordinatorInspector(Protocol):
    """Redis as the audit reads it. Raises what `Coordinator` raises."""

    def inspect(self, batch_ids: Sequence[str]) -> list[CoordinatorView | UnreadableView | None]:
        """Return what Redis knows of each batch, read atomically; None for an unknown batch."""
        ...
