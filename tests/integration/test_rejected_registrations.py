"""A registration that is rejected is kept, with the names of the fields in which it differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from els_core.domain.commands import AddSlots, Cancel, WithdrawSlots
from tests.factories import command_request, registration

if TYPE_CHECKING:
    from els_core.domain.batches import Registration
    from els_core.domain.commands import Command
    from tests.integration.environment import Environment

FIRST = registration(2)
DETAILS: dict[str, Any] = {
    "course_code": "SV1",
    "user_id": "another",
    "org_id": "o",
    "class_id": "c",
    "essay_instructions": "write",
    "student_prompt_ref": "p",
    "timeout_seconds": 60,
}


def other(fingerprint: str = "another", **details: object) -> Registration:
    changed = replace(FIRST.details, **details)  # type: ignore[arg-type]
    return replace(FIRST, details=changed, fingerprint=fingerprint)


def steer(environment: Environment, command: Command, body: str) -> None:
    request = replace(command_request(command, command_id=body), body=body)
    [answer] = environment.steer_batch.steer([request]).answers
    assert "refusal=None" in str(answer)


def kept(environment: Environment) -> list[tuple[str, list[str]]]:
    with environment.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT fingerprint, differs FROM rejected_registrations ORDER BY rejected_at"
        )
        return [(fingerprint, list(differs)) for fingerprint, differs in rows]


@pytest.mark.parametrize("field", DETAILS)
def test_one_field_that_differs_is_named(environment: Environment, field: str) -> None:
    environment.register(FIRST, other(**{field: DETAILS[field]}))
    assert kept(environment) == [("another", [field])]


@pytest.mark.parametrize("essay_ids", [("essay-0000",), ("essay-0000", "x"), (*FIRST.essay_ids, "x")])
def test_other_slots_are_named(environment: Environment, essay_ids: tuple[str, ...]) -> None:
    environment.register(FIRST)
    environment.register(replace(FIRST, essay_ids=essay_ids, fingerprint="another"))
    assert kept(environment) == [("another", ["essay_ids"])]


def test_slots_that_a_command_added_or_withdrew_are_no_difference(environment: Environment) -> None:
    environment.register(FIRST)
    steer(environment, AddSlots(("s9",)), '{"command": "add_slots", "essay_ids": ["s9"]}')
    steer(environment, WithdrawSlots(("essay-0001",)), '{"command": "withdraw_slots"}')
    environment.register(other(class_id="c"))
    assert kept(environment) == [("another", ["class_id"])]


def test_the_same_is_kept_once_and_another_beside_it(environment: Environment) -> None:
    environment.register(FIRST, other("one", class_id="c", org_id="o"))
    environment.register(other("one", class_id="c", org_id="o"), other("two"))
    assert kept(environment) == [("one", ["org_id", "class_id"]), ("two", [])]


def test_a_registration_of_a_cancelled_batch_differs_from_nothing(environment: Environment) -> None:
    steer(environment, Cancel(), '{"command": "cancel"}')
    environment.register(FIRST)
    assert kept(environment) == [(FIRST.fingerprint, [])]


def test_what_is_not_rejected_is_not_kept(environment: Environment) -> None:
    environment.register(FIRST)
    environment.register(FIRST)
    assert kept(environment) == []
