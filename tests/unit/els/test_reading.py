"""What people ask is answered in words, and for programs as one JSON object per line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from els.exits import ExitCode
from els.output import printable
from els.reading import MOVERS, MOVES, PAGED
from els_core.application.sentences import Mover
from els_core.contracts.answers import BatchStatusAnswer
from els_core.domain.batches import Status
from tests.unit.els.answers import batch, listed

if TYPE_CHECKING:
    from tests.unit.els.conftest import Shell
    from tests.unit.els.stub_api import StubApi

LISTS: dict[str, Any] = {name: [] for name in PAGED}
TOKEN = {"next_page_token": "t"}
WELL = {
    "is_well": True,
    "concerns": [],
    "stores": [{"name": "postgres", "is_up": True}, {"name": "redis", "is_up": True}],
    "backlog": {"open_batches": 3, "oldest_parked_seconds": 0},
    "queues": [{"name": "provision_content", "waiting": 2, "in_flight": 1, "is_dead_letter_queue": False}],
    "jobs": [{"name": "sweep", "seconds_since": None}],
}
ILL = WELL | {
    "is_well": False,
    "concerns": [{"severity": "error", "subject": "redis", "sentence": "Redis does not answer"}],
    "stores": [{"name": "redis", "is_up": False}],
}


def test_a_list_shows_who_is_stuck_and_how_full_each_is(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, listed([batch(is_stuck=True), batch("b2", deadline=None)]))
    lines = els("list").output.splitlines()
    assert lines[1] == "b1     open, STUCK  1/2   ENG5    2026-01-31T12:00:00Z"
    assert lines[2] == "b2     open         1/2   ENG5    -"


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_a_system_that_is_not_well_ends_with_1_and_says_first_what_is_wrong(
    els: Shell, api: StubApi, command: str
) -> None:
    api.answer("/system", 200, WELL)
    api.answer("/system", 200, ILL)
    well, ill = els(command), els(command)
    assert (well.code, ill.code) == (ExitCode.DONE, ExitCode.WRONG)
    assert "all is well" in well.output
    assert "ERROR    redis: Redis does not answer" in ill.output
    assert els(command, "--json").objects == [ILL]


def test_show_joins_the_lists_of_all_pages(els: Shell, api: StubApi) -> None:
    first = LISTS | {"missing_essay_ids": ["e1"]}
    api.answer("/batches/b1", 200, batch(**first, **TOKEN))
    api.answer("/batches/b1", 200, batch(**(LISTS | {"missing_essay_ids": ["e2"]})))
    [whole] = els("show", "b1", "--json").objects
    assert (whole["missing_essay_ids"], whole["next_page_token"]) == (["e1", "e2"], None)
    assert [each.query for each in api.asked] == [{}, {"page_token": "t"}]


def test_file_names_are_asked_for_only_when_wanted(els: Shell, api: StubApi) -> None:
    api.answer("/batches/b1", 200, batch(**LISTS))
    els("show", "b1")
    els("show", "b1", "--full")
    assert [each.query for each in api.asked] == [{}, {"view": "full"}]


def test_the_lists_that_go_on_are_those_of_the_contract() -> None:
    whole = {"commands", "rejected_registrations"}
    lists = {
        name
        for name, field in BatchStatusAnswer.model_fields.items()
        if getattr(field.annotation, "__origin__", None) is list and get_args(field.annotation)
    }
    assert lists - whole == PAGED


def test_why_says_whose_move_it_is_and_what_one_can_do(els: Shell, api: StubApi) -> None:
    rejected = {"differing_fields": ["essay_ids"], "rejected_at": "2026-01-30T12:00:00Z"}
    refused = {"command": "close", "actor": "anna", "refusal": "EMPTY"}
    known = batch(is_stuck=True, mover="els", rejected_registrations=[rejected], commands=[refused])
    api.answer("/batches/b1", 200, known)
    output = els("why", "b1").output
    assert "the next move is the service's own, and has been for three minutes: it is stuck" in output
    assert "registered again at 2026-01-30T12:00:00Z with other essay_ids: rejected" in output
    assert "close by anna was refused: EMPTY" in output
    assert "you can: els close b1, els deadline b1" in output
    assert els("why", "b1", "--json").objects[0]["mover"] == "els"


def test_every_status_and_every_mover_has_its_words() -> None:
    assert set(MOVES) == {status.value for status in Status}
    assert set(MOVERS) == {mover.value for mover in Mover}


def test_history_and_find_print_a_table(els: Shell, api: StubApi) -> None:
    entry: dict[str, Any] = {
        "at": "T",
        "kind": "commanded",
        "command": "close",
        "identity": None,
        "essay_id": None,
    }
    entry |= {"epoch": 1, "status": None, "reason": "EMPTY", "by": "anna", "event_id": None, "comment": "ill"}
    api.answer("/batches/b1/history", 200, {"entries": [entry], "next_page_token": None})
    assert els("history", "b1").output.splitlines()[1] == "T   commanded  close  EMPTY   anna  ill"
    assert els("history", "b1", "--json").objects == [entry]
    place = {"batch_id": "b1", "kind": "content", "outcome": "assigned", "essay_id": "e1", "at": "T"}
    api.answer("/find/c1", 200, {"found": [place], "next_page_token": None})
    assert els("find", "c1").output.splitlines()[1] == "b1     content  assigned  e1    T"


def test_an_id_that_occurs_nowhere_is_not_found(els: Shell, api: StubApi) -> None:
    api.answer("/find/c1", 200, {"found": [], "next_page_token": None})
    assert els("find", "c1").code == ExitCode.NOT_FOUND


def test_watch_prints_each_change_until_the_result_is_announced(els: Shell, api: StubApi) -> None:
    unsent = {"event_id": "x", "detail_type": "BatchEssaysReady", "unsent_since": "T"}
    api.answer("/batches/b1", 200, batch(), ETag='"1"')
    api.answer("/batches/b1", 304, {})
    api.answer("/batches/b1", 200, batch(status="ready", sentence="ready", announcement=unsent), ETag='"2"')
    sent = unsent | {"unsent_since": None}
    api.answer("/batches/b1", 200, batch(status="ready", sentence="announced", announcement=sent))
    ended = els("watch", "b1")
    assert ended.code == ExitCode.DONE
    assert [line.rpartition("  ")[2] for line in ended.output.splitlines()] == [
        "waiting for 1 of 2: e2",
        "ready",
        "announced",
    ]
    assert [each.headers.get("If-None-Match") for each in api.asked] == [None, '"1"', '"1"', '"2"']


def test_watching_all_prints_what_changed_and_ends_when_it_is_not_allowed_any_more(
    els: Shell, api: StubApi
) -> None:
    api.answer("/batches", 200, listed([batch("b2"), batch("b1")]))
    api.answer("/batches", 200, listed([batch("b2", version=4), batch("b1")]))
    api.answer("/batches", 403, {"detail": "the session has ended"})
    ended = els("watch", "--json")
    assert ended.code == ExitCode.NOT_ALLOWED
    assert [(each["batch_id"], each["version"]) for each in ended.objects] == [
        ("b1", 3),
        ("b2", 3),
        ("b2", 4),
    ]


def test_dead_letters_are_listed_shown_and_sent_back(els: Shell, api: StubApi) -> None:
    letter = {"queue": "provision_content", "message_id": "m1", "error_code": "MALFORMED", "batch_id": None}
    letter |= {"reason": "must be a uuid", "body": "{}"}
    queues = [{"queue": "provision_content", "count": 1}]
    api.answer("/dead-letters", 200, {"dead_letters": [letter], "queues": queues})
    assert "provision_content  m1       MALFORMED  -      must be a uuid" in els("dead", "list").output
    assert els("dead", "list", "--json").objects == [letter]
    assert els("dead", "show", "m1", "--json").objects == [letter]
    assert els("dead", "show", "m2").code == ExitCode.NOT_FOUND
    assert [each.query for each in api.asked[-2:]] == [{"view": "full"}] * 2
    answer = {"queue": "provision_content", "redriven_count": 1, "remaining_count": 0, "is_dry_run": False}
    api.answer("/dead-letters/redrive", 200, answer)
    assert els("dead", "redrive", "provision_content").code == ExitCode.USAGE
    ended = els("dead", "redrive", "provision_content", "--yes", "--max", "5")
    assert ended.output == "provision_content: 1 went back, 0 remain\n"
    [posted] = api.sent("POST")
    assert posted.body == {"queue": "provision_content", "max_count": 5, "dry_run": False}


def test_nothing_that_others_wrote_reaches_the_terminal_as_an_order(els: Shell, api: StubApi) -> None:
    api.answer("/batches/b1", 200, batch(sentence="\x1b[2Jgone\r\x9b1m"))
    assert set(els("why", "b1").output) & {"\x1b", "\r", "\x9b"} == set()
    assert printable("å \x1b") == "å \N{REPLACEMENT CHARACTER}"
