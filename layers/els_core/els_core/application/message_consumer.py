"""Consume a batch of queue messages: poison goes to the dead-letter queue alone, a fault causes a retry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.budgets import always
from els_core.application.messages import DeadLetter, PoisonMessage
from els_core.domain.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from els_core.application.budgets import MayContinue
    from els_core.application.messages import QueueMessage
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.messaging import DeadLetterQueue

UNPARSABLE = PoisonMessage("UNPARSABLE", "body", "the parser failed on this message")


@dataclass(frozen=True, slots=True)
class Retry:
    """An item was not processed in the time that the function had; SQS delivers its message again."""


@dataclass(slots=True)
class ConsumeResult[Item, Report]:
    """What became of the messages of one invocation.

    `reports` pairs the items of each bulk call with its report. `retried` are the items that a fault or the
    end of the time stopped, and `batch_item_failures` the ids of all messages that SQS delivers again.
    `latencies` say for each message that was decided how long ago the queue took it.
    """

    reports: list[tuple[Sequence[Item], Report]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    retried: list[Item] = field(default_factory=list)
    batch_item_failures: list[str] = field(default_factory=list)
    latencies: list[timedelta] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MessageConsumer[Item, Report]:
    """Parses and processes messages in bulk; one bad message never holds up its neighbours.

    `process` may report items that are rejected for good, or not reached: `verdicts` finds these, by
    position.
    """

    parse: Callable[[str], Item | PoisonMessage]
    process: Callable[[Sequence[Item], MayContinue], Report]
    verdicts: Callable[[Report], Sequence[PoisonMessage | Retry | None]]
    dead_letter_queue: DeadLetterQueue
    clock: Clock

    def consume(
        self, messages: Sequence[QueueMessage], may_continue: MayContinue = always
    ) -> ConsumeResult[Item, Report]:
        """Consume all messages; never raises because of a single one."""
        result = ConsumeResult[Item, Report]()
        parsed: list[tuple[QueueMessage, Item]] = []
        for message in messages:
            item = self._parse(message, result)
            if isinstance(item, PoisonMessage):
                result.dead_letters.append(DeadLetter(message, item))
            else:
                parsed.append((message, item))
        if parsed:
            self._process(parsed, result, may_continue)
        self._send_dead_letters(result)
        return result

    def _parse(self, message: QueueMessage, result: ConsumeResult[Item, Report]) -> Item | PoisonMessage:
        """Parse one message. Whatever the parser raises concerns this message alone."""
        try:
            return self.parse(message.body)
        except Exception as fault:  # noqa: BLE001 - no error of one message may hold up its neighbours
            result.faults.append(fault)
            return UNPARSABLE

    def _process(
        self,
        parsed: Sequence[tuple[QueueMessage, Item]],
        result: ConsumeResult[Item, Report],
        may_continue: MayContinue,
    ) -> bool:
        """Process all items, in halves where one of them fails. Return False when going on is pointless."""
        try:
            report = self.process([item for _, item in parsed], may_continue)
        except Exception as fault:  # noqa: BLE001 - no error of one message may hold up its neighbours
            is_isolatable = not isinstance(fault, FaultError) or fault.is_isolatable
            if is_isolatable and len(parsed) > 1 and may_continue():
                return self._process_halves(parsed, result, may_continue)
            result.faults.append(fault)
            self._retry(parsed, result)
            return is_isolatable
        result.reports.append(([item for _, item in parsed], report))
        decided_at = self.clock.now()
        for (message, item), verdict in zip(parsed, self.verdicts(report), strict=True):
            match verdict:
                case PoisonMessage():
                    result.dead_letters.append(DeadLetter(message, verdict))
                case Retry():
                    self._retry([(message, item)], result)
                case None if message.sent_at is not None:
                    result.latencies.append(decided_at - message.sent_at)
                case None:
                    pass
        return True

    def _process_halves(
        self,
        parsed: Sequence[tuple[QueueMessage, Item]],
        result: ConsumeResult[Item, Report],
        may_continue: MayContinue,
    ) -> bool:
        """Process one half after the other; when a store fails in the first, retry the second unprocessed."""
        middle = len(parsed) // 2
        if self._process(parsed[:middle], result, may_continue):
            return self._process(parsed[middle:], result, may_continue)
        self._retry(parsed[middle:], result)
        return False

    def _retry(
        self, parsed: Sequence[tuple[QueueMessage, Item]], result: ConsumeResult[Item, Report]
    ) -> None:
        result.retried.extend(item for _, item in parsed)
        result.batch_item_failures.extend(message.message_id for message, _ in parsed)

    def _send_dead_letters(self, result: ConsumeResult[Item, Report]) -> None:
        """Send dead letters; one that the queue does not accept is retried instead."""
        letters = result.dead_letters
        accepted: list[str] = []
        if letters:
            try:
                accepted = self.dead_letter_queue.send(letters)
            except Exception as fault:  # noqa: BLE001 - the processed messages must still be acknowledged
                result.faults.append(fault)
        # Counted, because an id may stand twice: both letters must have been accepted.
        left = Counter(letter.message.message_id for letter in letters)
        left.subtract(accepted)
        result.batch_item_failures.extend(message_id for message_id, count in left.items() if count > 0)
