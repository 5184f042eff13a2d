"""The outbound bus, its wire format, and the dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from els_core.application.messages import DeadLetter
    from els_core.domain.events import DomainEvent, OutboxMessage


class EventEncoder(Protocol):
    """Encodes domain events; the only port that knows the wire format."""

    def encode(self, domain_events: Sequence[DomainEvent], now: datetime) -> list[OutboxMessage]:
        """Return the messages; an event that is too large for one message is split by bytes."""
        ...


class Publisher(Protocol):
    """The outbound bus."""

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        """Publish the messages and return the ids of those that the bus accepted.

        Raises `PartiallySentError` with the accepted ids when the bus rejected others, and
        `ExternalServiceError` when it accepted none.
        """
        ...


class DeadLetterQueue(Protocol):
    """The dead-letter queue of the function's own queue."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Send original bodies with their reasons; return the message ids that the queue accepted.

        Raises `ExternalServiceError` when it accepted none.
        """
        ...
