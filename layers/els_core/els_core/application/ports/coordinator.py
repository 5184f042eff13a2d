"""Redis: proposes slots, and answers questions of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.domain.arrivals import Arrival
    from els_core.domain.audit import CoordinatorView
    from els_core.domain.batches import AssignedSlot, BatchSnapshot
    from els_core.domain.outcomes import Proposal


class Coordinator(Protocol):
    """Redis: proposes slots and answers questions. May forget, lag or lie; what it says is a hint.

    Every method raises `ExternalServiceError(service="Redis")` when it cannot be reached.
    """

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        """Propose a slot per arrival, atomically per batch and idempotently, in one round trip."""
        ...

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        """Make Redis know the batches as they stood at their versions, never replacing a newer one."""
        ...

    def get_assigned_count(self, batch_id: str) -> int:
        """Return how many slots are proposed to contents."""
        ...

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        """Return the slots proposed to contents, by essay id."""
        ...

    def get_missing_slots(self, batch_id: str) -> list[str]:
        """Return the slots that nobody has, sorted."""
        ...


class CoordinatorInspector(Protocol):
    """Redis, as the audit reads it; raises what `Coordinator` raises."""

    def inspect(self, batch_ids: Sequence[str]) -> list[CoordinatorView | None]:
        """Return what is known of each batch, each at one moment; None for one that is not known."""
        ...
