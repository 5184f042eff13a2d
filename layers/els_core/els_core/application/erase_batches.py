"""Erase the personal data of batches that have ended: names, texts and who registered them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from els_core.application.ports.coordinator import CoordinatorUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator
    from els_core.application.ports.personal_data import PersonalData
    from els_core.application.ports.repository import Repository

PAGE = 10  # batches of one transaction, which may have 2 000 slots each


class Erasure(StrEnum):
    """What became of one batch."""

    ERASED = "erased"
    UNKNOWN = "unknown batch"
    NOT_ENDED = "not ended yet: erase it after its final result"
    UNSENT = "an event of it waits in the outbox: erase it when the relay has published it"


@dataclass(frozen=True, slots=True)
class EraseBatches:
    """Safe to repeat. Ids, counts and digests stay, so that a repeated message finds its answer."""

    personal_data: PersonalData
    repository: Repository
    coordinator: Coordinator
    clock: Clock

    def erase(self, batch_ids: Sequence[str], actor: str, reason: str) -> Mapping[str, Erasure]:
        """Erase in Postgres, then write the batches to Redis again, without what was erased.

        Raises a fault when Redis is unavailable; Postgres is erased by then, and the same call again is safe.
        """
        results: dict[str, Erasure] = {}
        for start in range(0, len(batch_ids), PAGE):
            page = batch_ids[start : start + PAGE]
            statuses, erased = self.personal_data.erase(page, actor, reason)
            snapshots = self.repository.snapshots(sorted(erased))
            self.coordinator.install([CoordinatorUpdate(each) for each in snapshots], self.clock.now())
            for batch_id in page:
                if batch_id in erased:
                    results[batch_id] = Erasure.ERASED
                elif batch_id not in statuses:
                    results[batch_id] = Erasure.UNKNOWN
                else:
                    ended = statuses[batch_id].is_terminal
                    results[batch_id] = Erasure.UNSENT if ended else Erasure.NOT_ENDED
        return results
