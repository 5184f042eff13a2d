"""Events out, and dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from els_core.application.messages import DeadLetter
    from els_core.domain.events import DomainEvent, OutboxMessage


class EventEncoder(Protocol):
    """Turns facts into messages; the only port that knows the wire format."""

    def encode(self, domain_events: Sequence[DomainEvent], now: datetime) -> list[OutboxMessage]:
        """Return the messages, split by bytes where a fact is too large for one."""
        ...


class Publisher(Protocol):
    """The outbound bus."""

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        """Send the messages and return the ids of those that the bus took; one refusal holds up no other.

        May raise `PartiallySentError` with these ids, to say why the others were refused.
        """
        ...


class DeadLetterQueue(Protocol):
    """The dead-letter queue of the function's own queue."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Send original bodies with their reasons; return the message ids of those that the queue took."""
        ...
