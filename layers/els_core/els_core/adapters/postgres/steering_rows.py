"""Between rows and domain values, for superseded arrivals and commands."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from els_core.adapters.postgres.rows import stored_form_of
from els_core.application.commands import KeptCommand
from els_core.domain.arrivals import Content, text_storage_id_of
from els_core.domain.batches import ReleasedSlot, Status
from els_core.domain.commands import CommandAnswer, CommandName, Refusal
from els_core.domain.outcomes import Superseded
from els_core.domain.reopening import Standby

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.adapters.postgres.rows import Json, Row
    from els_core.application.commands import CommandRequest
    from els_core.domain.decisions import BatchChange

_CONTENT = tuple(field.name for field in fields(Content))


def superseded_of(changes: Sequence[BatchChange]) -> list[Json]:
    """Return the rows of what is superseded, with the data of those that come now."""
    rows: dict[tuple[str, str], Json] = {}
    for change in changes:
        batch_id = change.after.batch_id
        for one in change.superseded:
            causes: Json = {"by_identity": one.by_identity, "by_command": one.by_command}
            rows[batch_id, one.identity] = {"batch_id": batch_id, "identity": one.identity, **causes}
        for arrival, outcome in change.decided:
            if isinstance(outcome, Superseded):
                # One that was barred before has its cause already.
                barred: Json = {"batch_id": batch_id, "identity": arrival.identity, "by_command": ""}
                row = rows.setdefault((batch_id, arrival.identity), barred)
                row["arrival"] = stored_form_of(arrival)
    return list(rows.values())


def slot_changes_of(changes: Sequence[BatchChange]) -> dict[str, list[Json]]:
    """Return the slots that are withdrawn and added, and the excess contents that are taken in."""
    ids = [(change.after.batch_id, change) for change in changes]
    return {
        "withdrawn": [{"batch_id": id_, "essay_id": one} for id_, change in ids for one in change.withdrawn],
        "added": [{"batch_id": id_, "essay_id": one} for id_, change in ids for one in change.added],
        "taken_in": [
            {"batch_id": id_, "text_storage_id": text_storage_id_of(one)}
            for id_, change in ids
            for one in change.taken_in
        ],
    }


def standby_of(batch_id: str, rows: Sequence[Row]) -> Standby:
    """Read what an ended batch keeps beside its slots."""
    return Standby(
        [_content(batch_id, row["arrival"]) for row in rows if row["kind"] == "excess"],
        {row["identity"]: row["supersedes"] for row in rows if row["kind"] != "excess"},
        frozenset(row["identity"] for row in rows if row["kind"] == "superseded"),
    )


def _content(batch_id: str, row: dict[str, Any]) -> Content:
    values: dict[str, Any] = {name: row.get(name) for name in _CONTENT}
    return Content(**values | {"batch_id": batch_id})


def kept_command_of(row: Row) -> KeptCommand:
    """Read a command that was answered before."""
    answer = dict(row["answer"])
    return KeptCommand(
        row["fingerprint"],
        CommandAnswer(
            answer["command_id"],
            CommandName(answer["command"]),
            Refusal(answer["refusal"]) if answer["refusal"] else None,
            Status(answer["status"]),
            answer["epoch"],
            answer["version"],
            tuple(answer["withdrawn"]),
            tuple(ReleasedSlot(**slot) for slot in answer["released"]),
            answer["taken_in"],
        ),
    )


def row_of_command(request: CommandRequest, answer: CommandAnswer) -> Json:
    """Return the row of a command and its answer."""
    return {
        "batch_id": request.batch_id,
        "command_id": request.command_id,
        "door": request.sender.door,
        "source": request.sender.source,
        "command": request.command.name,
        "body": json.loads(request.body),
        "fingerprint": request.fingerprint,
        "actor": request.sender.actor,
        "reason": request.reason,
        "answer": asdict(answer),
        "refusal": answer.refusal,
        "version": answer.version,
        "epoch": answer.epoch,
    }
