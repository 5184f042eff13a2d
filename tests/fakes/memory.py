"""The keys that Redis holds of one batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from els_core.adapters.redis import keys

if TYPE_CHECKING:
    from els_core.domain.batches import AssignedSlot, Status


class WrongTypeError(Exception):
    """A command met a key of another type."""


@dataclass(frozen=True, slots=True)
class Metadata:
    version: int
    status: Status
    expected_count: int
    deadline: float


@dataclass
class Memory:
    """The keys of one batch. An empty collection is a key that is not there, as in Redis."""

    available: set[str] = field(default_factory=set)
    assignments: dict[str, AssignedSlot] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    metadata: Metadata | None = None
    proposed_at: float | None = None
    expires: float = math.inf
    times_out: float | None = None
    spoiled: set[str] = field(default_factory=set)

    def copy(self) -> Memory:
        return replace(
            self,
            available=set(self.available),
            assignments=dict(self.assignments),
            contents=dict(self.contents),
            failures=dict(self.failures),
            spoiled=set(self.spoiled),
        )

    def require(self, name: str) -> None:
        """Raise when the key is of another type."""
        if name in self.spoiled:
            raise WrongTypeError(name)

    def present(self, now: float) -> dict[str, float]:
        """Return the keys that are there and the moments at which they vanish."""
        held = {
            keys.AVAILABLE_SLOTS: self.available,
            keys.ASSIGNMENTS: self.assignments,
            keys.CONTENTS: self.contents,
            keys.FAILURES: self.failures,
            keys.METADATA: self.metadata,
        }
        present = {name: self.expires for name, value in held.items() if value}
        present |= dict.fromkeys(self.spoiled, math.inf)
        if self.times_out is not None and self.times_out > now:
            present[keys.TIMEOUT] = self.times_out
        return present

    def lose(self, name: str) -> None:
        """Lose one key."""
        match name:
            case keys.AVAILABLE_SLOTS:
                self.available.clear()
            case keys.ASSIGNMENTS:
                self.assignments.clear()
            case keys.CONTENTS:
                self.contents.clear()
            case keys.FAILURES:
                self.failures.clear()
            case keys.METADATA:
                self.metadata = None
            case _:
                self.times_out = None
