"""The port `Publisher` in memory: a bus that remembers what it took."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from els_core.domain.errors import ExternalServiceError
from tests.fakes.cooperative_scheduler import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from els_core.domain.events import OutboxMessage


class FakeBus:
    """Takes every message that it does not refuse, unless it is down."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns()
        self.taken: list[OutboxMessage] = []
        self.refuses: Callable[[OutboxMessage], bool] = lambda _: False
        self.is_down = False

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        self._turns.pause("publish")
        if self.is_down and messages:
            raise ExternalServiceError("publish events", service="EventBridge")
        taken = [message for message in messages if not self.refuses(message)]
        self.taken.extend(taken)
        return [message.event_id for message in taken]

    def kinds(self) -> Counter[str]:
        """Count the distinct events by kind: a repetition has the same id."""
        return Counter({message.event_id: message.detail_type for message in self.taken}.values())
