"""Announce the final result of a batch again: the same event, with the same id and the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.application.decision_step import Decision
from els_core.domain.announcements import batch_closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.batches import Status
    from els_core.domain.events import OutboxMessage


@dataclass(frozen=True, slots=True)
class Announced:
    """The final result is in the outbox again, and was published if the bus accepted it."""

    message: OutboxMessage
    published: PublishResult


@dataclass(frozen=True, slots=True)
class NothingToAnnounce:
    """The batch has no final result yet; `status` is None for an unknown batch."""

    status: Status | None


@dataclass(frozen=True, slots=True)
class AnnounceBatch:
    """Safe to repeat: consumers deduplicate by event id."""

    post_commit: PostCommit
    encoder: EventEncoder

    def announce(self, batch_id: str) -> Announced | NothingToAnnounce:
        """Put the kept final result into the outbox at a new position, then publish it.

        A result that was not kept, because an older version of this service closed the batch, is encoded
        again from the rows.
        """
        found = self.post_commit.repository.snapshots([batch_id])
        if not found or not found[0].batch.status.is_terminal:
            return NothingToAnnounce(found[0].batch.status if found else None)
        message, enqueued = self.post_commit.repository.transact(
            lambda transaction: self._enqueue(transaction, batch_id)
        )
        published = self.post_commit.run(Decision(messages=list(enqueued) or [message]))
        return Announced(message, published)

    def _enqueue(
        self, transaction: Transaction, batch_id: str
    ) -> tuple[OutboxMessage, Sequence[OutboxMessage]]:
        """Return the message, and what of it to read after the commit."""
        batch = transaction.lock([batch_id])[batch_id]
        kept = transaction.announce_again(batch_id, batch.epoch)
        if kept is not None:
            return kept, [kept]
        [snapshot] = transaction.snapshots([batch_id])
        view = transaction.locked_view((), {})
        [message] = self.encoder.encode([batch_closed(snapshot)], view.now)
        return message, transaction.enqueue([message])
