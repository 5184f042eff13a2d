"""Help and completion start fast: they import nothing that only a running command needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"alembic", "boto3", "botocore", "els_core", "pg8000", "redis", "rich", "sqlalchemy", "urllib3"}
RUN = """
import json, sys
from els.main import main
code = main({arguments})
print(json.dumps([code, sorted(sys.modules)]))
"""


def imported_by(*arguments: str) -> set[str]:
    """Return the packages that a command imports in a process of its own."""
    command = [sys.executable, "-c", RUN.format(arguments=list(arguments))]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    code, modules = json.loads(ran.stdout.splitlines()[-1])
    assert code == 0
    return {name.partition(".")[0] for name in modules}


def test_help_imports_nothing_heavy() -> None:
    # Typer itself reads the options of a command with Pydantic, but not to list the commands.
    assert imported_by("--help") & {*HEAVY, "pydantic"} == set()


@pytest.mark.parametrize("arguments", [["cancel", "--help"], ["dead", "--help"], ["--show-completion"]])
def test_the_help_of_a_command_and_completion_import_nothing_heavy(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert imported_by(*arguments) & HEAVY == set()


def test_the_help_lists_the_commands_and_the_exit_codes() -> None:
    command = [sys.executable, "-m", "els", "--help"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Exit codes: 0 done" in output
    named = (
        "list status doctor show why watch history find page audit rebuild erase cancel close deadline add"
    )
    for name in f"{named} withdraw release reopen announce dead".split():
        assert f"\n  {name} " in output
