"""The dead-letter queues as an operator sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from els_core.application.budgets import MayContinue


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """A message in a dead-letter queue; `attributes` say why it is there, if this service sent it."""

    queue: str
    message_id: str
    body: str
    receive_count: int
    sent_at: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueView:
    """About how many messages a dead-letter queue holds, and those that a look shows."""

    queue: str
    count: int
    letters: Sequence[StoredDeadLetter]


class DeadLetters(Protocol):
    """The dead-letter queues by name. Raises `ExternalServiceError(service="SQS")`."""

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the queues."""
        ...

    def look(self, names: Sequence[str]) -> list[QueueView]:
        """Show some messages of each queue and leave them there."""
        ...

    def count(self, name: str) -> int:
        """Return about how many messages a queue holds."""
        ...

    def redrive(self, name: str, max_count: int, may_continue: MayContinue) -> int:
        """Put messages back into the queue that they came from, while it may continue; return how many.

        Each is sent before it is deleted: a crash in between repeats it, which is harmless, and loses none.
        """
        ...
