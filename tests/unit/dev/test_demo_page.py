"""A demo that is left running has its page, and only its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil
from urllib3 import request

from dev.demo.page import serve_page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_page_of_a_kept_demo_is_served_whatever_the_shell_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELS_API", "https://another.example")
    (tmp_path / ".local").mkdir()
    environment = {"endpoint": "http://127.0.0.1:4566", "outputs": {"ApiId": "abc"}}
    (tmp_path / ".local" / "demo-session.json").write_text(json.dumps({"environment": environment}), "utf-8")
    before = set(psutil.Process().children())
    address = serve_page(tmp_path, tmp_path)
    try:
        assert request("GET", address, redirect=False).status == 303
        assert "the page of the kept demo" in (tmp_path / "page.log").read_text("utf-8")
        assert (tmp_path / "page.log").stat().st_mode & 0o077 == 0
    finally:
        for process in set(psutil.Process().children()) - before:
            process.kill()
            process.wait()
