"""A coordinator that answers at random and never remembers anything."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from els_core.domain.outcomes import Proposal, ProposalKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.application.ports.coordinator import CoordinatorUpdate
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import AssignedSlot


class LyingCoordinator:
    """The port `Coordinator`; each answer is one that the real one could give, and mostly wrong."""

    def __init__(self, essay_ids: Sequence[str], seed: int = 1) -> None:
        self._random = Random(seed)  # noqa: S311 - lies need no secrecy
        self._essay_ids = [*essay_ids, "no-such-slot", None]

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:  # noqa: ARG002
        versions = [None, 1, 2, 10**6]
        return [
            Proposal(
                self._random.choice(list(ProposalKind)),
                self._random.choice(self._essay_ids),
                self._random.choice(versions),
            )
            for _ in arrivals
        ]

    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        """Forget it."""

    def get_assigned_count(self, batch_id: str) -> int:  # noqa: ARG002
        return self._random.randrange(3)

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:  # noqa: ARG002
        return []

    def get_missing_slots(self, batch_id: str) -> list[str]:  # noqa: ARG002
        return []
