"""The deployment is the one that is named, else a kept demo in this folder or above it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from els.exits import ExitCode, StopError
from els.target import SESSION_FILE, Target, find_target

if TYPE_CHECKING:
    from pathlib import Path

AWS = "https://abc.execute-api.eu-west-1.amazonaws.com"


def keep_demo(folder: Path, text: str) -> None:
    (folder / SESSION_FILE).parent.mkdir()
    (folder / SESSION_FILE).write_text(text, "utf-8")


def test_a_kept_demo_is_found_from_below_and_routed_by_its_host(tmp_path: Path) -> None:
    environment = {"endpoint": "http://127.0.0.1:4566", "outputs": {"ApiId": "abc"}}
    keep_demo(tmp_path, json.dumps({"environment": environment}))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    target = find_target(None, None, None, below)
    assert (target.url, target.host) == ("http://127.0.0.1:4566", "abc.execute-api.localhost:4566")
    assert target.is_demo
    assert str(target) == "the kept demo at http://127.0.0.1:4566"


def test_a_named_api_wins_over_a_kept_demo_and_its_url_tells_the_region(tmp_path: Path) -> None:
    keep_demo(tmp_path, "{}")
    assert find_target(f"{AWS}/", "prod", None, tmp_path) == Target(AWS, None, "eu-west-1", "prod")


@pytest.mark.parametrize("api", ["abc", "ftp://host", "https://", "https://host?x=1"])
def test_what_is_no_url_of_an_api_is_refused(api: str, tmp_path: Path) -> None:
    with pytest.raises(StopError, match="URL of the API") as stopped:
        find_target(api, None, None, tmp_path)
    assert stopped.value.code is ExitCode.USAGE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"environment": {"endpoint": "x"}}'])
def test_a_session_file_that_says_nothing_is_named_with_what_to_do(text: str, tmp_path: Path) -> None:
    keep_demo(tmp_path, text)
    with pytest.raises(StopError, match="make demo-stop"):
        find_target(None, None, None, tmp_path)


def test_without_a_name_and_without_a_demo_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(StopError, match="make demo KEEP=1"):
        find_target(None, None, None, tmp_path)
