"""An SQS queue in memory, and the port `DeadLetterQueue` in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.application.messages import QueueMessage
from els_core.domain.errors import ExternalServiceError
from tests.fakes.cooperative_scheduler import CooperativeScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from els_core.application.messages import DeadLetter
    from els_core.application.ports.clock import Clock

VISIBILITY_TIMEOUT = timedelta(minutes=3)
MAX_RECEIVE_COUNT = 100


@dataclass
class StoredMessage:
    """A message in a queue; it is received only from `visible_at` on."""

    message: QueueMessage
    visible_at: datetime
    receive_count: int = 0


class FakeQueue:
    """Delivers at least once, in any order: a message that is not acknowledged is delivered again.

    One that was received `max_receive_count` times moves to `dead_lettered`, as by a redrive policy.
    """

    def __init__(self, name: str, clock: Clock, scheduler: CooperativeScheduler | None = None) -> None:
        self.name = name
        self.dead_lettered: list[QueueMessage] = []
        self.max_receive_count = MAX_RECEIVE_COUNT
        self._clock = clock
        self._scheduler = scheduler or CooperativeScheduler()
        self._stored: dict[str, StoredMessage] = {}
        self._sent = 0

    def send(self, body: str) -> str:
        """Add a message and return its id."""
        self._sent += 1
        message_id = f"{self.name}-{self._sent}"
        self._stored[message_id] = StoredMessage(QueueMessage(message_id, body), self._clock.now())
        return message_id

    def receive(
        self, limit: int = 10, choose: Callable[[Sequence[QueueMessage]], Sequence[QueueMessage]] = list
    ) -> list[QueueMessage]:
        """Return visible messages as `choose` orders them; hide them for the visibility timeout."""
        self._scheduler.pause(f"receive {self.name}")
        now = self._clock.now()
        visible = [stored.message for stored in self._stored.values() if stored.visible_at <= now]
        return [message for message in list(choose(visible))[:limit] if self._hide(message, now)]

    def _hide(self, message: QueueMessage, now: datetime) -> bool:
        stored = self._stored[message.message_id]
        stored.receive_count += 1
        if stored.receive_count > self.max_receive_count:
            self.dead_lettered.append(self._stored.pop(message.message_id).message)
            return False
        stored.visible_at = now + VISIBILITY_TIMEOUT
        return True

    def acknowledge(self, message_ids: Sequence[str]) -> None:
        """Delete messages."""
        self._scheduler.pause(f"acknowledge {self.name}")
        for message_id in message_ids:
            self._stored.pop(message_id, None)

    def make_visible(self, message_ids: Sequence[str]) -> None:
        """End the visibility timeout of messages."""
        now = self._clock.now()
        for message_id in message_ids:
            if message_id in self._stored:
                self._stored[message_id].visible_at = now

    @property
    def is_empty(self) -> bool:
        """Tell whether no message is left, visible or not."""
        return not self._stored


class FakeDeadLetterQueue:
    """The port `DeadLetterQueue` in memory: keeps messages with their reasons."""

    def __init__(self, scheduler: CooperativeScheduler | None = None) -> None:
        self._scheduler = scheduler or CooperativeScheduler()
        self.letters: list[DeadLetter] = []
        self.rejects: Callable[[DeadLetter], bool] = lambda _: False
        self.is_down = False

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        self._scheduler.pause("send dead letters")
        if self.is_down:
            raise ExternalServiceError("send dead letters", service="SQS")
        accepted = [letter for letter in letters if not self.rejects(letter)]
        self.letters.extend(accepted)
        return [letter.message.message_id for letter in accepted]
