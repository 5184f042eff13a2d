"""The outbound bus, its wire format, and the dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from els_core.application.budgets import MayContinue
    from els_core.application.messages import DeadLetter
    from els_core.domain.events import DomainEvent, OutboxMessage


class EventEncoder(Protocol):
    """Encodes domain events; the only port that knows the wire format."""

    def encode(self, domain_events: Sequence[DomainEvent], now: datetime) -> list[OutboxMessage]:
        """Return the messages; an event that is too large for one message is split by bytes."""
        ...


class Publisher(Protocol):
    """The outbound bus."""

    def publish(self, messages: Sequence[OutboxMessage], may_continue: MayContinue) -> list[UUID]:
        """Publish the messages in order, while `may_continue`; return the ids of those that the bus accepted.

        A call that the bus rejects because of one entry is repeated in halves, until that entry is alone.

        Raises `PartiallySentError` with the accepted ids when the bus rejected others, and
        `ExternalServiceError` when it accepted none.
        """
        ...


class EventBusProbe(Protocol):
    """Finds out whether the outbound bus exists: PutEvents to a bus that does not exist answers success."""

    def exists(self) -> bool:
        """Return whether the bus exists; raise `ExternalServiceError` when that cannot be found out."""
        ...


class DeadLetterQueue(Protocol):
    """The dead-letter queue of the function's own queue."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Send original bodies with their reasons; return the message ids that the queue accepted.

        A call that the queue rejects because of one letter is repeated in halves. Raises
        `ExternalServiceError` when it accepted none.
        """
        ...
