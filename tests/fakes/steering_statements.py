"""The statements of commands in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.application.commands import KeptCommand
from els_core.domain.reopening import Standby
from tests.fakes.rows import EpochRow, OutboxRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.commands import CommandRequest
    from els_core.domain.batches import Registration
    from els_core.domain.commands import CommandAnswer
    from els_core.domain.events import OutboxMessage
    from tests.fakes.rows import Database
    from tests.fakes.tables import TableTransaction


class SteeringStatements:
    """What a transaction can do for a command."""

    _database: Database
    _transaction: TableTransaction

    def announce_again(self, batch_id: str, epoch: int) -> OutboxMessage | None:
        with self._transaction.statement("announce again"):
            kept = self._database.epochs.rows(self._transaction).get((batch_id, str(epoch)))
            if kept is None:
                return None
            row = OutboxRow(kept.message, self._database.next_position(), self._database.clock.now())
            key = str(kept.message.event_id)
            if not self._database.outbox.insert(key, row, self._transaction):
                self._database.outbox.update(
                    key, lambda old: replace(old, position=row.position), self._transaction
                )
            return replace(kept.message, position=row.position)

    def keep_result(self, message: OutboxMessage) -> None:
        with self._transaction.statement("keep a result"):
            self._keep(message)

    def _keep(self, message: OutboxMessage) -> None:
        """Keep the final result of the batch's current epoch, unless one is kept."""
        row = self._database.batches.current(message.batch_id, self._transaction)
        if row is not None:
            key = (message.batch_id, str(row.batch.epoch))
            self._database.epochs.insert(key, EpochRow(message), self._transaction)

    def standby(self, batch_id: str, limit: int) -> Standby:
        with self._transaction.statement("read standby"):
            excess = [
                row
                for row in self._database.excess.rows(self._transaction).values()
                if row.content.batch_id == batch_id
            ]
            superseded = self._database.superseded.rows(self._transaction)
            come = {
                key[1]: row.arrival.supersedes
                for key, row in superseded.items()
                if key[0] == batch_id and row.arrival is not None and row.arrival.supersedes
                if (batch_id, row.arrival.supersedes) not in superseded
            }
            late = {
                row.failure.identity: row.failure.supersedes
                for row in self._database.failures.rows(self._transaction).values()
                if row.failure.batch_id == batch_id and row.failure.supersedes
            }
            oldest = sorted(excess, key=lambda row: row.position)[:limit]
            return Standby([row.content for row in oldest], late | come, frozenset(come))

    def keep_rejected(self, registrations: Sequence[Registration]) -> None:
        with self._transaction.statement("keep rejected registrations"):
            for one in registrations:
                key = (one.batch_id, one.fingerprint)
                self._database.rejected.insert(key, one, self._transaction)

    def command(self, batch_id: str, command_id: str) -> KeptCommand | None:
        with self._transaction.statement("read command"):
            return self._database.commands.rows(self._transaction).get((batch_id, command_id))

    def keep_command(self, request: CommandRequest, answer: CommandAnswer) -> None:
        with self._transaction.statement("keep command"):
            key = (request.batch_id, request.command_id)
            kept = KeptCommand(request.fingerprint, answer)
            self._database.commands.insert_new(key, kept, self._transaction)
