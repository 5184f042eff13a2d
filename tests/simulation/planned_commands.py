"""The commands of a simulated run, and arrivals that supersede others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never
from uuid import NAMESPACE_OID, uuid5

from els_core.application.messages import PoisonMessage
from els_core.contracts.commands import parse_command
from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.commands import CommandName
from tests.fakes.clock import START
from tests.simulation.messages import REJECTED_UNLESS_PARKED, PlannedMessage
from tests.simulation.producer import body_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from tests.simulation.choices import Choices

MAX_COMMANDS = 3


def with_commands(plan: Choices, messages: Sequence[PlannedMessage]) -> list[PlannedMessage]:
    """Put commands between the messages, each once or twice; a run often has none.

    Where there are commands, arrivals may supersede others. None is rejected when it is decided there: a
    command that decides such a parked one is a dead letter.
    """
    planned = list(messages)
    batch_ids = sorted({one.event.batch_id for one in messages if one.event is not None})
    commanded = [batch_id for batch_id in batch_ids if plan.chance(30)]
    supersedes: dict[ArrivalKey, str | None] = {}
    for position, message in enumerate(planned):
        arrival = message.rejected if _is_decided_never(message) else message.event
        match arrival:
            case Content() | Failure() if arrival.batch_id in commanded:
                key = key_of(arrival)
                supersedes.setdefault(key, _superseded(plan, arrival))
                planned[position] = _arrival(replace(arrival, supersedes=supersedes[key]))
            case _:
                pass
    for batch_id in commanded:
        for number in range(1 + plan.below(MAX_COMMANDS)):
            command = _command(plan, batch_id, number)
            for _ in range(1 + plan.below(2)):
                planned.insert(plan.below(len(planned) + 1), command)
    return planned


def _is_decided_never(message: PlannedMessage) -> bool:
    return message.rejected is not None and message.rejected.original_file_name == REJECTED_UNLESS_PARKED


def _superseded(plan: Choices, arrival: Arrival) -> str | None:
    if not plan.chance(20):
        return None
    name = f"{plan.one_of(('content', 'upload'))}:n{1 + plan.below(8)}"
    return name if name != arrival.identity else None


def _arrival(arrival: Arrival) -> PlannedMessage:
    named = f" for {arrival.supersedes}" if arrival.supersedes else ""
    good = replace(arrival, original_file_name="n.txt")
    return PlannedMessage(body_of(good), f"{arrival.batch_id} {arrival.identity}{named}", event=good)


def _command(plan: Choices, batch_id: str, number: int) -> PlannedMessage:
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
    return PlannedMessage(body, f"{batch_id} {request.command}", event=request)


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
