"""The commands of a simulated run, and arrivals that supersede others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never
from uuid import NAMESPACE_OID, uuid5

from els_core.application.messages import PoisonMessage
from els_core.contracts.commands import parse_command
from els_core.domain.commands import CommandName
from tests.fakes.clock import START

if TYPE_CHECKING:
    from els_core.application.commands import CommandRequest
    from tests.simulation.choices import Choices

MAX_COMMANDS = 3


@dataclass(frozen=True, slots=True)
class PlannedCommand:
    """A command to send, once or more often, as its rule puts it into the queue."""

    body: str
    request: CommandRequest


def planned_commands(plan: Choices, batch_id: str) -> list[PlannedCommand]:
    """Choose the commands about one batch; often there is none."""
    commands: list[PlannedCommand] = []
    while len(commands) < MAX_COMMANDS and plan.chance(30 if not commands else 60):
        commands += [_command(plan, batch_id, len(commands))] * (1 + plan.below(2))
    return commands


def superseded_name(plan: Choices, name: str) -> str | None:
    """Choose the identity that an arrival names as superseded: seldom one, and then one sent before it."""
    number = int(name[1:])
    if not plan.chance(15):
        return None
    other = f"n{1 + plan.below(8)}"
    return None if other == f"n{number}" else f"{plan.one_of(('content', 'upload'))}:{other}"


def _command(plan: Choices, batch_id: str, number: int) -> PlannedCommand:
    name = plan.one_of(
        (
            CommandName.REOPEN,
            CommandName.RELEASE_SLOT,
            CommandName.CANCEL,
            CommandName.CLOSE,
            CommandName.WITHDRAW_SLOTS,
            CommandName.ADD_SLOTS,
            CommandName.CHANGE_DEADLINE,
            CommandName.ANNOUNCE,
            CommandName.REOPEN,
        )
    )
    event: dict[str, Any] = {
        "detail-type": "BatchCommand",
        "source": "operations",
        "detail": {
            "metadata": {
                "event_id": str(uuid5(NAMESPACE_OID, f"{batch_id} {number}")),
                "correlation_id": "00000000-0000-4000-8000-000000000009",
                "occurred_at": "2026-01-31T12:00:00Z",
                "source_service": "operations",
                "schema_version": 1,
            },
            "data": {"batch_id": batch_id, "command": name, "actor": "teacher", **_arguments(plan, name)},
        },
    }
    body = json.dumps(event)
    request = parse_command(body)
    if isinstance(request, PoisonMessage):
        raise TypeError(request.reason)
    return PlannedCommand(body, request)


def _arguments(plan: Choices, name: CommandName) -> dict[str, Any]:
    match name:
        case CommandName.REOPEN:
            seconds = plan.one_of((86_400, 600))
            more = {"add_slots": [f"more-{plan.below(2)}"]} if plan.chance(40) else {}
            return {"if_epoch": plan.one_of((1, 1, 1, 2)), "timeout_seconds": seconds, **more}
        case CommandName.RELEASE_SLOT:
            return {"identity": f"{plan.one_of(('content', 'upload'))}:n{1 + plan.below(5)}"}
        case CommandName.WITHDRAW_SLOTS:
            return {"count": 1 + plan.below(2)}
        case CommandName.ADD_SLOTS:
            return {"essay_ids": [f"more-{plan.below(2)}"]}
        case CommandName.CHANGE_DEADLINE:
            deadline = START + timedelta(hours=plan.one_of((48, 1)))
            return {"deadline": deadline.isoformat()}
        case CommandName.CANCEL | CommandName.CLOSE | CommandName.ANNOUNCE:
            return {}
        case _:
            assert_never(name)
