"""The port `Publisher` in memory: a bus that keeps what it accepted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from els_core.domain.errors import ExternalServiceError
from tests.fakes.cooperative_scheduler import CooperativeScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from els_core.domain.events import OutboxMessage


class FakeBus:
    """Accepts every message that it does not reject, unless it is down."""

    def __init__(self, scheduler: CooperativeScheduler | None = None) -> None:
        self._scheduler = scheduler or CooperativeScheduler()
        self.accepted: list[OutboxMessage] = []
        self.rejects: Callable[[OutboxMessage], bool] = lambda _: False
        self.is_down = False

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        self._scheduler.pause("publish")
        if self.is_down and messages:
            raise ExternalServiceError("publish events", service="EventBridge")
        accepted = [message for message in messages if not self.rejects(message)]
        self.accepted.extend(accepted)
        return [message.event_id for message in accepted]

    def count_by_type(self) -> Counter[str]:
        """Return the number of distinct event ids per event type."""
        return Counter({message.event_id: message.detail_type for message in self.accepted}.values())
