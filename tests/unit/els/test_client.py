"""What the API answers becomes an exit code and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els.exits import ExitCode
from els.main import main
from tests.unit.els.answers import batch, listed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.els.conftest import Shell
    from tests.unit.els.stub_api import StubApi


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, 2),
        (401, 6),
        (403, 6),
        (404, 3),
        (409, 4),
        (412, 4),
        (422, 4),
        (429, 5),
        (500, 1),
        (503, 5),
        (504, 5),
    ],
)
def test_a_problem_ends_with_its_exit_code_and_its_detail(
    els: Shell, api: StubApi, status: int, code: int
) -> None:
    api.answer("/batches/b1", status, {"title": "T", "detail": "what was wrong"})
    ended = els("show", "b1")
    assert (ended.code, ended.output, ended.notes) == (code, "", "els: what was wrong\n")


def test_an_answer_that_is_no_json_is_named_by_its_status(els: Shell, api: StubApi) -> None:
    api.answer("/batches/b1", 403, b"<html>proxy</html>")
    assert els("show", "b1").notes == "els: the API answered 403\n"


def test_each_request_is_signed_for_the_api_in_its_region(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, listed([]))
    assert els("list").code == ExitCode.DONE
    [asked] = api.asked
    assert "Credential=AKIDEXAMPLE/" in asked.headers["Authorization"]
    assert "/eu-north-1/execute-api/aws4_request" in asked.headers["Authorization"]


def test_a_busy_service_is_asked_three_times_and_then_counts_as_unreachable(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 503, {"detail": "busy"}, Retry_After="5")
    assert els("list").code == ExitCode.UNREACHABLE
    assert len(api.asked) == 3


def test_a_service_that_was_busy_only_once_answers(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 503, {"detail": "busy"})
    api.answer("/batches", 200, listed([batch()]))
    assert els("list", "--json").objects == [batch()]


def test_a_service_that_is_not_there_is_unreachable(els: Shell) -> None:
    del els
    assert main(["--api", "http://127.0.0.1:1", "list"]) == ExitCode.UNREACHABLE


def test_without_credentials_it_is_not_allowed(
    els: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    ended = els("list")
    assert (ended.code, ended.notes[:23]) == (ExitCode.NOT_ALLOWED, "els: no AWS credentials")


def test_a_profile_that_does_not_exist_is_named(els: Shell) -> None:
    ended = els("--profile", "no-such-profile", "list")
    assert ended.code == ExitCode.NOT_ALLOWED
    assert "no-such-profile" in ended.notes


def test_a_list_is_read_page_by_page_and_no_further_than_wanted(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, listed([batch("b1"), batch("b2")], "next"))
    api.answer("/batches", 200, listed([batch("b3"), batch("b4")], "more"))
    found = els("list", "--limit", "3", "--json").objects
    assert [each["batch_id"] for each in found] == ["b1", "b2", "b3"]
    assert [each.query.get("page_token") for each in api.asked] == [None, "next"]
