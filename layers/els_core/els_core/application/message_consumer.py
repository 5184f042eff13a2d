"""Consume a batch of queue messages: poison goes to the dead-letter queue alone, a fault causes a retry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.messages import DeadLetter, PoisonMessage
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.messages import QueueMessage
    from els_core.application.ports.messaging import DeadLetterQueue


@dataclass(slots=True)
class ConsumeResult[Item, Report]:
    """What became of the messages of one invocation.

    `reports` pairs the items of each bulk call with its report. `retried` are the items that a fault stopped,
    and `batch_item_failures` the ids of all messages that SQS delivers again.
    """

    reports: list[tuple[Sequence[Item], Report]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    retried: list[Item] = field(default_factory=list)
    batch_item_failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MessageConsumer[Item, Report]:
    """Parses and processes messages in bulk; one bad message never holds up its neighbours.

    `process` may report items that the store rejects as data: `rejections` finds them, by position.
    """

    parse: Callable[[str], Item | PoisonMessage]
    process: Callable[[Sequence[Item]], Report]
    rejections: Callable[[Report], Sequence[PoisonMessage | None]]
    dead_letter_queue: DeadLetterQueue

    def consume(self, messages: Sequence[QueueMessage]) -> ConsumeResult[Item, Report]:
        """Consume all messages; never raises because of a single one."""
        result = ConsumeResult[Item, Report]()
        parsed: list[tuple[QueueMessage, Item]] = []
        for message in messages:
            item = self.parse(message.body)
            if isinstance(item, PoisonMessage):
                result.dead_letters.append(DeadLetter(message, item))
            else:
                parsed.append((message, item))
        if parsed:
            self._process_together(parsed, result)
        self._send_dead_letters(result)
        return result

    def _process_together(
        self, parsed: Sequence[tuple[QueueMessage, Item]], result: ConsumeResult[Item, Report]
    ) -> bool:
        """Process all items, one by one where that is needed. Return False when a store is unavailable."""
        try:
            report = self.process([item for _, item in parsed])
        except (ExternalServiceError, CoordinationTimeoutError) as fault:
            result.faults.append(fault)
            self._retry(parsed, result)
            return False
        except Exception as fault:  # noqa: BLE001 - no error of one message may hold up its neighbours
            if len(parsed) == 1:
                result.faults.append(fault)
                self._retry(parsed, result)
            else:
                self._process_one_by_one(parsed, result)
        else:
            result.reports.append(([item for _, item in parsed], report))
            for (message, _), poison in zip(parsed, self.rejections(report), strict=True):
                if poison is not None:
                    result.dead_letters.append(DeadLetter(message, poison))
        return True

    def _process_one_by_one(
        self, parsed: Sequence[tuple[QueueMessage, Item]], result: ConsumeResult[Item, Report]
    ) -> None:
        """Process message by message; once a store fails, retry all that are left."""
        for position, one in enumerate(parsed):
            if not self._process_together([one], result):
                self._retry(parsed[position + 1 :], result)
                break

    def _retry(
        self, parsed: Sequence[tuple[QueueMessage, Item]], result: ConsumeResult[Item, Report]
    ) -> None:
        result.retried.extend(item for _, item in parsed)
        result.batch_item_failures.extend(message.message_id for message, _ in parsed)

    def _send_dead_letters(self, result: ConsumeResult[Item, Report]) -> None:
        """Send dead letters; one that the queue does not accept is retried instead."""
        letters = result.dead_letters
        try:
            accepted = set(self.dead_letter_queue.send(letters)) if letters else set()
        except ExternalServiceError as fault:
            accepted = set()
            result.faults.append(fault)
        result.batch_item_failures.extend(
            letter.message.message_id for letter in letters if letter.message.message_id not in accepted
        )
