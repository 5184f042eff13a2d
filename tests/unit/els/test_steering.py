"""Commands say where they go, ask, carry an id, and can be repeated."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from els.exits import ExitCode
from els.steering import Order, bulk_id
from els_core.contracts.commands import CommandArguments
from els_core.domain.commands import CommandName
from tests.unit.els.answers import applied, batch, listed

if TYPE_CHECKING:
    from tests.unit.els.conftest import Shell
    from tests.unit.els.stub_api import StubApi

COMMANDS = "/batches/b1/commands"
SAID: dict[CommandName, tuple[list[str], dict[str, Any]]] = {
    CommandName.CANCEL: (["cancel", "b1"], {}),
    CommandName.CLOSE: (["close", "b1"], {}),
    CommandName.CHANGE_DEADLINE: (
        ["deadline", "b1", "--to", "2026-01-31T13:00+01:00"],
        {"deadline": "2026-01-31T12:00:00+00:00"},
    ),
    CommandName.ADD_SLOTS: (["add", "b1", "e8", "e9"], {"essay_ids": ["e8", "e9"]}),
    CommandName.WITHDRAW_SLOTS: (["withdraw", "b1", "--count", "2"], {"count": 2}),
    CommandName.RELEASE_SLOT: (["release", "b1", "content:c1"], {"identity": "content:c1"}),
    CommandName.REOPEN: (
        ["reopen", "b1", "--for", "2h", "--add", "e9"],
        {"if_epoch": 1, "timeout_seconds": 7_200, "add_slots": ["e9"]},
    ),
    CommandName.ANNOUNCE: (["announce", "b1", "--epoch", "1"], {"epoch": 1}),
}


@pytest.fixture
def open_batch(api: StubApi) -> None:
    api.answer("/batches/b1", 200, batch())
    api.answer(COMMANDS, 200, applied())


@pytest.mark.usefixtures("open_batch")
@pytest.mark.parametrize("name", CommandName)
def test_each_command_of_the_contract_can_be_said(els: Shell, api: StubApi, name: CommandName) -> None:
    line, arguments = SAID[name]
    assert els(*line, "--reason", "asked", "--yes").code == ExitCode.DONE
    [posted] = api.sent("POST")
    assert posted.body == {"command": name, "reason": "asked", **arguments}
    assert CommandArguments.model_validate_json(json.dumps(posted.body)).to_command().name is name
    assert len(posted.headers["Idempotency-Key"]) == 36


@pytest.mark.usefixtures("open_batch")
def test_it_says_its_target_and_the_state_before_it_changes_something(els: Shell, api: StubApi) -> None:
    ended = els("cancel", "b1", "--yes")
    assert ended.notes == f"cancel b1 at {api.url}\nit is open: waiting for 1 of 2: e2\n"
    assert ended.output == "b1: applied; cancelled, epoch 1, version 4\n"


@pytest.mark.usefixtures("open_batch")
def test_where_nobody_can_be_asked_nothing_is_commanded_without_yes(
    els: Shell, api: StubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))
    ended = els("cancel", "b1")
    assert (ended.code, api.sent("POST")) == (ExitCode.USAGE, [])
    assert "add --yes" in ended.notes


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("open_batch")
@pytest.mark.parametrize(("reply", "commands"), [("y", 1), ("YES", 1), ("", 0), ("n", 0), ("b1", 0)])
def test_only_a_yes_is_a_yes(
    els: Shell, api: StubApi, monkeypatch: pytest.MonkeyPatch, reply: str, commands: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{reply}\n"))
    assert els("cancel", "b1").code == (ExitCode.DONE if commands else ExitCode.WRONG)
    assert len(api.sent("POST")) == commands


@pytest.mark.usefixtures("open_batch")
def test_a_dry_run_asks_nobody_and_says_so_to_the_api(els: Shell, api: StubApi) -> None:
    assert els("cancel", "b1", "--dry-run").code == ExitCode.DONE
    assert api.sent("POST")[0].body["dry_run"] is True


def test_an_unknown_batch_is_not_found_before_anybody_is_asked(els: Shell, api: StubApi) -> None:
    assert els("cancel", "b1").code == ExitCode.NOT_FOUND
    assert api.sent("POST") == []


def test_a_refusal_is_printed_with_its_code(els: Shell, api: StubApi) -> None:
    api.answer("/batches/b1", 200, batch())
    api.answer(COMMANDS, 409, {"code": "TOO_LATE", "detail": "The batch has ended."})
    ended = els("close", "b1", "--yes")
    assert (ended.code, ended.output) == (ExitCode.REFUSED, "b1: TOO_LATE: The batch has ended.\n")
    assert els("close", "b1", "--yes", "--json").objects[0]["code"] == "TOO_LATE"


def test_when_the_answer_is_lost_it_says_under_which_id_repeating_is_safe(els: Shell, api: StubApi) -> None:
    api.answer("/batches/b1", 200, batch())
    api.answer(COMMANDS, 503, {"detail": "Postgres is down."})
    ended = els("cancel", "b1", "--yes", "--command-id", "mine")
    assert ended.code == ExitCode.UNREACHABLE
    assert "again with --command-id mine" in ended.notes
    assert {each.headers["Idempotency-Key"] for each in api.sent("POST")} == {"mine"}


@pytest.mark.usefixtures("open_batch")
@pytest.mark.parametrize(
    "line",
    [
        ["cancel"],
        ["cancel", "b1", "--where", "stuck"],
        ["cancel", "--where", "stuck", "--command-id", "mine"],
        ["cancel", "--where", "stuck", "--if-version", "3"],
        ["deadline", "--where", "stuck", "--to", "+2h"],
        ["withdraw", "b1"],
        ["withdraw", "b1", "e1", "--count", "1"],
        ["reopen", "b1"],
    ],
)
def test_what_contradicts_itself_is_a_usage_error(els: Shell, api: StubApi, line: list[str]) -> None:
    assert els(*line, "--yes").code == ExitCode.USAGE
    assert api.sent("POST") == []


@pytest.fixture
def stuck(api: StubApi) -> list[str]:
    names = [f"b{number}" for number in range(1, 8)]
    api.answer("/batches", 200, listed([batch(name, epoch=2) for name in names]))
    for name in names:
        api.answer(f"/batches/{name}/commands", 200, applied())
    return names


def test_a_bulk_prints_the_count_and_a_sample_before_it_asks(
    els: Shell, api: StubApi, monkeypatch: pytest.MonkeyPatch, stuck: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    ended = els("cancel", "--where", "stuck and org=o1")
    assert len(stuck) == 7
    assert ended.notes.startswith(f"cancel 7 batches at {api.url}\n  b1  open  epoch 2\n")
    assert "  and 2 more\ncancel 7 batches? [y/N] " in ended.notes
    assert api.sent("POST") == []


def test_the_same_bulk_again_has_the_same_ids_and_another_run_has_others(
    els: Shell, api: StubApi, stuck: list[str]
) -> None:
    for line in ([], ["--reason", "other"], ["--run", "second"]):
        assert els("cancel", "--where", "stuck", "--yes", *line).code == ExitCode.DONE
    keys = [each.headers["Idempotency-Key"] for each in api.sent("POST")]
    count = len(stuck)
    assert keys[:count] == keys[count : 2 * count]
    assert len(set(keys)) == 2 * count
    assert {each.body["if_epoch"] for each in api.sent("POST")} == {2}


def test_the_id_of_a_bulk_depends_on_what_is_commanded() -> None:
    orders = [
        Order("cancel"),
        Order("close"),
        Order("close", {"x": 1}),
        Order("close", {"x": 2}),
        Order("close", {"x": 2}, if_version=3),
    ]
    ids = [bulk_id("", order, name, epoch) for order in orders for name in ("b1", "b2") for epoch in (1, 2)]
    assert len(set(ids)) == len(ids)
    assert bulk_id("", Order("cancel", reason="why"), "b1", 1) == ids[0]


def test_more_batches_than_wanted_are_refused_as_a_whole(els: Shell, api: StubApi, stuck: list[str]) -> None:
    ended = els("cancel", "--where", "stuck", "--max", str(len(stuck) - 1), "--yes")
    assert (ended.code, api.sent("POST")) == (ExitCode.USAGE, [])
    assert "more than 6 batches match" in ended.notes


def test_a_refusal_does_not_stop_a_bulk_but_a_service_that_is_gone_does(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, listed([batch("b1"), batch("b2"), batch("b3"), batch("b4")]))
    api.answer("/batches/b1/commands", 409, {"code": "TOO_LATE", "detail": "The batch has ended."})
    api.answer("/batches/b2/commands", 200, applied())
    api.answer("/batches/b3/commands", 503, {"detail": "busy"})
    ended = els("close", "--where", "stuck", "--yes")
    assert ended.code == ExitCode.UNREACHABLE
    assert "run the same line again" in ended.notes
    assert [each.path[9:11] for each in api.sent("POST")] == ["b1", "b2", "b3", "b3", "b3"]


def test_a_bulk_with_a_refusal_ends_as_refused_and_prints_one_line_each(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, listed([batch("b1"), batch("b2")]))
    api.answer("/batches/b1/commands", 409, {"code": "TOO_LATE", "detail": "The batch has ended."})
    api.answer("/batches/b2/commands", 200, applied())
    ended = els("close", "--where", "stuck", "--yes", "--json")
    assert ended.code == ExitCode.REFUSED
    assert [each["batch_id"] for each in ended.objects] == ["b1", "b2"]
    assert "1 of 2 applied" in ended.notes


def test_a_selection_without_a_batch_is_done_without_a_question(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, listed([]))
    assert els("cancel", "--where", "stuck").code == ExitCode.DONE
