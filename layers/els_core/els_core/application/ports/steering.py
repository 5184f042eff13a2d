"""What a transaction can do for commands and rejected registrations, beside what it does for arrivals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.commands import CommandRequest, KeptCommand
    from els_core.domain.batches import Registration
    from els_core.domain.commands import CommandAnswer
    from els_core.domain.events import OutboxMessage
    from els_core.domain.reopening import Standby


class SteeringTransaction(Protocol):
    """The part of the port `Transaction` that no arrival needs."""

    def announce_again(self, batch_id: str, epoch: int) -> OutboxMessage | None:
        """Put the kept final result of an epoch into the outbox, at a new position; None if there is none."""
        ...

    def keep_result(self, message: OutboxMessage) -> None:
        """Keep the final result of the locked batch's epoch, unless one is kept already; announce nothing."""
        ...

    def standby(self, batch_id: str, limit: int) -> Standby:
        """Return what an ended batch keeps beside its slots: its oldest excess contents, and who names whom.

        Excess contents that an older version of this service stored without size and correlation id cannot be
        taken in and are left out.
        """
        ...

    def keep_rejected(self, registrations: Sequence[Registration]) -> None:
        """Keep registrations of locked batches that are rejected, and in which fields they differ."""
        ...

    def command(self, batch_id: str, command_id: str) -> KeptCommand | None:
        """Return the command of this id for the locked batch, if it was answered before."""
        ...

    def keep_command(self, request: CommandRequest, answer: CommandAnswer) -> None:
        """Keep a command with its answer for as long as the batch."""
        ...
