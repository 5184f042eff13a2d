"""A queue as SQS is one, and the port `DeadLetterQueue` in front of a dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.application.messages import QueueMessage
from els_core.domain.errors import ExternalServiceError
from tests.fakes.cooperative_scheduler import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from els_core.application.messages import DeadLetter
    from els_core.application.ports.clock import Clock

VISIBILITY = timedelta(minutes=3)
MAX_RECEIVES = 100


@dataclass
class Waiting:
    """A message in a queue; invisible while somebody works on it."""

    record: QueueMessage
    visible_at: datetime
    receives: int = 0


class FakeQueue:
    """At least once, in any order: a message that is received and not acknowledged comes back.

    One that came `max_receives` times goes to `dead`, with the attributes of no one.
    """

    def __init__(self, name: str, clock: Clock, turns: Turns | None = None) -> None:
        self.name = name
        self.dead: list[QueueMessage] = []
        self.max_receives = MAX_RECEIVES
        self._clock = clock
        self._turns = turns or Turns()
        self._waiting: dict[str, Waiting] = {}
        self._sent = 0

    def send(self, body: str) -> str:
        """Put a message in and return its id."""
        self._sent += 1
        message_id = f"{self.name}-{self._sent}"
        self._waiting[message_id] = Waiting(QueueMessage(message_id, body), self._clock.now())
        return message_id

    def receive(
        self, limit: int = 10, choose: Callable[[Sequence[QueueMessage]], Sequence[QueueMessage]] = list
    ) -> list[QueueMessage]:
        """Return visible messages in the order that `choose` gives them and hide them for a while."""
        self._turns.pause(f"receive {self.name}")
        now = self._clock.now()
        visible = [waiting.record for waiting in self._waiting.values() if waiting.visible_at <= now]
        return [record for record in list(choose(visible))[:limit] if self._hide(record, now)]

    def _hide(self, record: QueueMessage, now: datetime) -> bool:
        waiting = self._waiting[record.message_id]
        waiting.receives += 1
        if waiting.receives > self.max_receives:
            self.dead.append(self._waiting.pop(record.message_id).record)
            return False
        waiting.visible_at = now + VISIBILITY
        return True

    def acknowledge(self, message_ids: Sequence[str]) -> None:
        """Delete messages for good."""
        self._turns.pause(f"acknowledge {self.name}")
        for message_id in message_ids:
            self._waiting.pop(message_id, None)

    def batch_item_failures(self, message_ids: Sequence[str]) -> None:
        """Make messages visible at once."""
        now = self._clock.now()
        for message_id in message_ids:
            if message_id in self._waiting:
                self._waiting[message_id].visible_at = now

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left, visible or not."""
        return not self._waiting


class FakeDeadLetters:
    """A dead-letter queue that remembers bodies and reasons."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns()
        self.letters: list[DeadLetter] = []
        self.refuses: Callable[[DeadLetter], bool] = lambda _: False
        self.is_down = False

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        self._turns.pause("send dead letters")
        if self.is_down:
            raise ExternalServiceError("send dead letters", service="SQS")
        taken = [letter for letter in letters if not self.refuses(letter)]
        self.letters.extend(taken)
        return [letter.message.message_id for letter in taken]
