"""`els` before the real functions on real stores: find the stuck batch, say why, act, read who did what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from els.main import main
from tests.integration.live_page import System, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue


@pytest.fixture
def system(dead_letter_queue: DeadLetterQueue) -> Iterator[System]:
    system = System()
    yield system
    assert dead_letter_queue.messages() == []


@pytest.fixture
def els(system: System, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str]]]:
    """Return `els` before a system: how it ends, and what it prints besides the logs of the functions."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["--api", client.target.url, "--region", "eu-north-1", *arguments])
        lines = capsys.readouterr().out.splitlines()
        return code, "\n".join(each for each in lines if not each.startswith(('{"level"', '{"_aws"')))

    with serving(system) as client:
        yield run


type Els = Callable[..., tuple[int, str]]


def test_a_person_finds_the_stuck_batch_and_mends_it_and_reads_who_did_what(
    els: Els, system: System, postgres: PostgresServer, database_url: str
) -> None:
    system.register("b1", "e1", "e2", org_id="o1")
    system.register("b2", "e1", org_id="o1")
    system.send("b1", "c1")
    name = database_url.rpartition("/")[2]
    late = "UPDATE batches SET deadline = deadline - interval '1 day' WHERE batch_id = 'b1'"
    postgres.execute(late, database=name)
    assert els("status")[0] == 1
    code, listed = els("list", "--where", "stuck and org=o1")
    assert (code, [line.split()[0] for line in listed.splitlines()]) == (0, ["batch", "b1"])
    code, reasons = els("why", "b1")
    assert (code, "it is stuck" in reasons) == (0, True)
    assert els("close", "b1", "--yes")[0] == 4
    assert "timed_out" in els("show", "b1")[1]
    code, opened = els("reopen", "b1", "--for", "1h", "--reason", "the sweep slept", "--yes")
    assert (code, "open, epoch 2" in opened) == (0, True)
    system.send("b1", "c2")
    assert len(els("list", "--where", "stuck")[1].splitlines()) == 1
    history = els("history", "b1")[1]
    assert "the sweep slept" in history
    assert "arn:aws:iam::123456789012:user/teacher" in history
    assert "ready" in els("show", "b1")[1]


def test_every_command_reaches_the_functions(els: Els, system: System) -> None:
    system.register("b1", "e1", "e2", "e3")
    system.send("b1", "c1")
    assert els("deadline", "b1", "--to", "+2h", "--yes")[0] == 0
    assert els("add", "b1", "e4", "--yes")[0] == 0
    assert els("withdraw", "b1", "e4", "--yes")[0] == 0
    assert els("withdraw", "b1", "nobody", "--yes")[0] == 4
    assert els("release", "b1", "content:c1", "--yes")[0] == 0
    assert els("release", "b1", "content:c1", "--yes")[0] == 4
    assert els("cancel", "b1", "--dry-run")[1].startswith("b1: would be applied; cancelled")
    system.send("b1", "c2")
    assert els("close", "b1", "--yes")[0] == 0
    assert els("announce", "b1", "--yes")[0] == 0
    assert els("cancel", "b1", "--yes")[0] == 4
    assert els("reopen", "b1", "--for", "1h", "--add", "e9", "--yes")[0] == 0
    assert els("cancel", "b1", "--yes")[0] == 0
    assert els("cancel", "nobody", "--yes")[0] == 3


def test_the_same_bulk_again_does_nothing_twice(els: Els, system: System) -> None:
    for name in ("b1", "b2", "b3"):
        system.register(name, "e1", "e2", org_id="o1")
    system.register("b4", "e1", org_id="o2")
    line = ("cancel", "--where", "org=o1", "--yes", "--json")
    code, first = els(*line)
    assert (code, len(first.splitlines())) == (0, 3)
    code, second = els(*line)
    assert code == 0
    assert [json.loads(each)["is_repeated"] for each in second.splitlines()] == [True] * 3
    assert els("list", "--where", "status=open", "--json")[1].count('"batch_id": "b4"') == 1


def test_an_id_is_found_with_what_became_of_it(els: Els, system: System) -> None:
    system.register("b1", "e1")
    system.send("b1", "c1")
    assert "assigned" in els("find", "c1")[1]
    assert els("find", "nobody")[0] == 3


def test_watching_ends_when_the_result_is_announced(els: Els, system: System) -> None:
    system.register("b1", "e1")
    system.send("b1", "c1")
    code, line = els("watch", "b1", "--json")
    assert (code, json.loads(line)["status"]) == (0, "ready")


def test_dead_letters_are_listed(els: Els) -> None:
    code, listed = els("dead", "list")
    assert (code, "source: about 0" in listed) == (0, True)
