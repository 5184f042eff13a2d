"""Commands on the wire: which arguments belong to which command, and why one is rejected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from els_core.application.commands import CommandRequest, Door, Sender
from els_core.application.messages import PoisonMessage
from els_core.contracts.commands import parse_command
from els_core.domain.commands import (
    AddSlots,
    Announce,
    Cancel,
    ChangeDeadline,
    Close,
    Command,
    CommandName,
    ReleaseSlot,
    Reopen,
    WithdrawSlots,
)
from tests.factories import CORRELATION, EVENT

DEADLINE = datetime(2026, 2, 1, tzinfo=UTC)
GOOD: list[tuple[dict[str, Any], Command]] = [
    ({"command": "cancel"}, Cancel()),
    ({"command": "change_deadline", "deadline": "2026-02-01T00:00:00Z"}, ChangeDeadline(DEADLINE)),
    ({"command": "close"}, Close()),
    ({"command": "withdraw_slots", "count": 2}, WithdrawSlots(count=2)),
    ({"command": "withdraw_slots", "essay_ids": ["a"]}, WithdrawSlots(("a",))),
    ({"command": "add_slots", "essay_ids": ["a", "c"]}, AddSlots(("a", "c"))),
    ({"command": "release_slot", "identity": "content:a"}, ReleaseSlot("content:a")),
    ({"command": "reopen", "if_epoch": 1, "timeout_seconds": 60}, Reopen(60)),
    ({"command": "reopen", "if_epoch": 1, "timeout_seconds": 60, "add_slots": ["a"]}, Reopen(60, ("a",))),
    ({"command": "announce"}, Announce()),
    ({"command": "announce", "epoch": 2}, Announce(2)),
]
MISSING, UNEXPECTED = "is required for this command", "does not belong to this command"
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"command": "change_deadline"}, "deadline", MISSING),
    ({"command": "withdraw_slots"}, "count", MISSING),
    ({"command": "withdraw_slots", "count": 1, "essay_ids": ["a"]}, "count", UNEXPECTED),
    ({"command": "withdraw_slots", "count": 0}, "count", "must be at least 1"),
    ({"command": "add_slots"}, "essay_ids", MISSING),
    ({"command": "add_slots", "essay_ids": ["a", "a"]}, "essay_ids", "must be distinct"),
    ({"command": "release_slot"}, "identity", MISSING),
    ({"command": "reopen", "timeout_seconds": 60}, "if_epoch", MISSING),
    ({"command": "reopen", "if_epoch": 1}, "timeout_seconds", MISSING),
    (
        {"command": "reopen", "if_epoch": 1, "timeout_seconds": 60, "add_slots": ["a", "a"]},
        "add_slots",
        "must be distinct",
    ),
    ({"command": "cancel", "deadline": "2026-02-01T00:00:00Z"}, "deadline", UNEXPECTED),
    ({"command": "close", "epoch": 1}, "epoch", UNEXPECTED),
]


def body(**data: object) -> str:
    metadata = {
        "event_id": EVENT,
        "correlation_id": CORRELATION,
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": "school-portal",
        "schema_version": 1,
    }
    fields = {"batch_id": "b", "actor": "teacher", **data}
    event = {
        "detail-type": "BatchCommand",
        "source": "portal",
        "detail": {"metadata": metadata, "data": fields},
    }
    return json.dumps(event)


def parsed(**data: object) -> CommandRequest:
    found = parse_command(body(**data))
    assert isinstance(found, CommandRequest)
    return found


def test_every_command_has_an_example() -> None:
    assert {command.name for _, command in GOOD} == set(CommandName)


@pytest.mark.parametrize(("data", "command"), GOOD)
def test_a_command_is_read_with_its_arguments(data: dict[str, Any], command: Command) -> None:
    request = parsed(**data)
    assert (request.command, request.command_id, request.correlation_id) == (command, EVENT, CORRELATION)
    assert request.sender == Sender(Door.BUS, "portal", "teacher")


@pytest.mark.parametrize(("data", "field", "reason"), BAD)
def test_a_command_with_other_arguments_is_rejected(data: dict[str, Any], field: str, reason: str) -> None:
    assert parse_command(body(**data)) == PoisonMessage("INVALID_FIELD", f"detail.data.{field}", reason)


def test_an_unknown_command_is_rejected_with_those_that_there_are() -> None:
    poison = parse_command(body(command="destroy"))
    assert isinstance(poison, PoisonMessage)
    assert poison.field == "detail.data.command"
    assert all(name.value in poison.reason for name in CommandName)


def test_actor_and_reason_do_not_make_it_another_command() -> None:
    first = parsed(command="close", reason="why")
    assert first.fingerprint == parsed(command="close", actor="other").fingerprint
    assert first.fingerprint != parsed(command="close", if_version=3).fingerprint
    assert json.loads(first.body) == {"command": "close"}
