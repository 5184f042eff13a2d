"""Postgres as an erasure sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.domain.batches import Status


class PersonalData(Protocol):
    """The personal data of batches. Raises what `Repository` raises."""

    def batches_of(self, user_id: str) -> list[str]:
        """Return the ids of the batches that a user registered, in byte order."""
        ...

    def erase(
        self, batch_ids: Sequence[str], actor: str, reason: str
    ) -> tuple[Mapping[str, Status], frozenset[str]]:
        """Erase what may be erased, and return the status of each known batch and the ids of the erased."""
        ...
