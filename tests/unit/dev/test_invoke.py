"""`make invoke` starts what a function needs, and fails when the function does."""

from __future__ import annotations

import json

import pytest

from dev.deploy.invoke import FUNCTIONS, commands, fault
from tests.architecture.project import resources


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_can_be_invoked_on_its_event(name: str) -> None:
    [up, *invocations] = commands(name)
    assert up[-3:] == ["up", "--detach", "--wait"]
    [function, _, event] = invocations[-1][-3:]
    assert resources()[function]["Properties"]["CodeUri"] == f"functions/{name}/"
    assert event == f"events/{name}.json"


def test_the_tables_are_made_first() -> None:
    [_, first, _] = commands("provision_content")
    assert "MigrateDatabaseFunction" in first
    assert len(commands("migrate_database")) == 2


def test_a_function_that_raises_is_a_fault_although_sam_exits_with_0() -> None:
    raised = {"errorMessage": "no such table", "errorType": "ProcessingError", "stackTrace": []}
    assert fault(f"START RequestId\n{json.dumps(raised)}\n") == "ProcessingError: no such table"


@pytest.mark.parametrize("said", ["", "START RequestId", "Traceback"])
def test_a_missing_answer_is_a_fault(said: str) -> None:
    assert str(fault(said)).startswith("no answer")


@pytest.mark.parametrize("answer", [{"batchItemFailures": []}, {"revision": "0001"}, 3, None])
def test_an_answer_is_no_fault(answer: object) -> None:
    assert fault(f"{json.dumps(answer)}\n") is None
