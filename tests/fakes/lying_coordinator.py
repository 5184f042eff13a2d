"""A coordinator that lies."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from els_core.domain.batches import AssignedSlot
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.fakes.cooperative_scheduler import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot


class LyingCoordinator:
    """Answers at random, with slots that are nobody's, somebody's or of no batch at all."""

    def __init__(self, seed: int, slots: Sequence[str], turns: Turns | None = None) -> None:
        self._random = Random(seed)  # noqa: S311 - a repeatable liar
        self._slots = [*slots, "no-such-slot"]
        self._turns = turns or Turns()

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        del now
        self._turns.pause("propose")
        return [self._lie() for _ in arrivals]

    def _lie(self) -> Proposal:
        word = self._random.choice(list(ProposalKind))
        has_slot = word not in {ProposalKind.FULL, ProposalKind.UNKNOWN}
        return Proposal(word, self._random.choice(self._slots) if has_slot else None)

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        del snapshots, now
        self._turns.pause("install")

    def get_assigned_count(self, batch_id: str) -> int:
        del batch_id
        return self._random.randrange(len(self._slots))

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        del batch_id
        return [AssignedSlot(self._random.choice(self._slots), "no-such-content", "lie.txt")]

    def get_missing_slots(self, batch_id: str) -> list[str]:
        del batch_id
        return [self._random.choice(self._slots)]
