"""The part of the port `Transaction` that commands and superseding arrivals need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.calls import json_of
from els_core.adapters.postgres.rows import message_of, row_of_registration
from els_core.adapters.postgres.steering_rows import (
    kept_command_of,
    row_of_command,
    slot_changes_of,
    standby_of,
    superseded_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.adapters.postgres.rows import Json
    from els_core.adapters.postgres.statements import Statement
    from els_core.application.commands import CommandRequest, KeptCommand
    from els_core.domain.batches import Registration
    from els_core.domain.commands import CommandAnswer
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.reopening import Standby


class SteeringStatements(ABC):
    """Statements that the hot path never sends."""

    @abstractmethod
    def _read(self, operation: str, statement: Statement, **parameters: object) -> list[dict[str, Any]]: ...

    @abstractmethod
    def _write(self, operation: str, statement: Statement, **parameters: object) -> None: ...

    def announce_again(self, batch_id: str, epoch: int) -> OutboxMessage | None:
        """Insert the kept final result into the outbox again."""
        kept = statements.INSERT_KEPT_RESULT
        rows = self._read("announce again", kept, batch_id=batch_id, epoch=epoch)
        return message_of(rows[0]) if rows else None

    def keep_result(self, message: OutboxMessage) -> None:
        """Keep the final result of the current epoch."""
        self._write(
            "keep a result",
            statements.KEEP_RESULT,
            batch_id=message.batch_id,
            event_id=str(message.event_id),
            detail_type=message.detail_type,
            detail=message.detail,
            digest=message.digest,
            ended_by=message.ended_by,
        )

    def standby(self, batch_id: str, limit: int) -> Standby:
        """Read excess contents and who names whom."""
        rows = self._read("read standby", statements.READ_STANDBY, batch_id=batch_id, limit=limit)
        return standby_of(batch_id, rows)

    def command(self, batch_id: str, command_id: str) -> KeptCommand | None:
        """Read a command that was answered before."""
        known = statements.READ_COMMAND
        rows = self._read("read command", known, batch_id=batch_id, command_id=command_id)
        return kept_command_of(rows[0]) if rows else None

    def keep_command(self, request: CommandRequest, answer: CommandAnswer) -> None:
        """Insert a command with its answer."""
        kept = json_of([row_of_command(request, answer)])
        self._write("keep command", statements.INSERT_COMMAND, kept=kept)

    def keep_rejected(self, registrations: Sequence[Registration]) -> None:
        """Insert rejected registrations with the names of the fields that differ."""
        rows = json_of([row_of_registration(one) for one in registrations])
        rejected = statements.INSERT_REJECTED_REGISTRATIONS
        self._write("keep rejected registrations", rejected, registrations=rows)

    def write_before(self, changes: Sequence[BatchChange]) -> dict[str, Json]:
        """Write what must come before the decisions; return by how much that moves the counts of each batch.

        Superseded arrivals lose their slots, slots are added and withdrawn, and epochs begin.
        """
        moved: dict[str, Json] = {}
        superseded = superseded_of(changes)
        if superseded:
            kept = json_of(superseded)
            rows = self._read("supersede arrivals", statements.SUPERSEDE_ARRIVALS, superseded=kept)
            for row in rows:
                freed = {name: row[name] for name in ("freed_assigned", "freed_failed")}
                moved.setdefault(row["batch_id"], {}).update(freed)
        slots = slot_changes_of(changes)
        if any(slots.values()):
            parameters = {name: json_of(rows) for name, rows in slots.items()}
            for row in self._read("change slots", statements.CHANGE_SLOTS, **parameters):
                moved.setdefault(row["batch_id"], {})["more_slots"] = int(row["more_slots"])
        epochs = [change.after for change in changes if change.after.epoch > change.before.epoch]
        if epochs:
            begun = [{"batch_id": after.batch_id, "epoch": after.epoch} for after in epochs]
            self._write("begin epochs", statements.BEGIN_EPOCHS, epochs=json_of(begun))
        return moved
