"""The Redis keys of one batch, in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from els_core.adapters.redis import keys

if TYPE_CHECKING:
    from els_core.domain.batches import AssignedSlot, Status


class WrongTypeError(Exception):
    """WRONGTYPE: a command was used on a key of another type."""


@dataclass(frozen=True, slots=True)
class Metadata:
    version: int
    status: Status
    expected_count: int
    deadline: float


@dataclass
class BatchKeys:
    """The keys of one batch. As in Redis, an empty collection is a key that does not exist.

    `wrong_type` names keys that hold a value of another type.
    """

    available: set[str] = field(default_factory=set)
    assignments: dict[str, AssignedSlot] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    metadata: Metadata | None = None
    proposed_at: float | None = None
    expires: float = math.inf
    times_out: float | None = None
    wrong_type: set[str] = field(default_factory=set)

    def copy(self) -> BatchKeys:
        return replace(
            self,
            available=set(self.available),
            assignments=dict(self.assignments),
            contents=dict(self.contents),
            failures=dict(self.failures),
            wrong_type=set(self.wrong_type),
        )

    def require(self, name: str) -> None:
        """Raise `WrongTypeError` when the key holds another type."""
        if name in self.wrong_type:
            raise WrongTypeError(name)

    def expiry_times(self, now: float) -> dict[str, float]:
        """Return the existing keys with the times at which they expire."""
        values = {
            keys.AVAILABLE_SLOTS: self.available,
            keys.ASSIGNMENTS: self.assignments,
            keys.CONTENTS: self.contents,
            keys.FAILURES: self.failures,
            keys.METADATA: self.metadata,
        }
        existing = {name: self.expires for name, value in values.items() if value}
        existing |= dict.fromkeys(self.wrong_type, math.inf)
        if self.times_out is not None and self.times_out > now:
            existing[keys.TIMEOUT] = self.times_out
        return existing

    def delete(self, name: str) -> None:
        """Delete one key; raise ValueError for an unknown name."""
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
            case keys.TIMEOUT:
                self.times_out = None
            case _:
                raise ValueError(f"{name!r} is no key of a batch: use one of {keys.ALL}")
