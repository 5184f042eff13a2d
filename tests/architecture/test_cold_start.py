"""A cold start imports nothing that its function does not use."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.project import FUNCTIONS

# Alembic and what it brings, the command line and what it brings, and what only tests and tools use.
NEVER = {"alembic", "mako", "markupsafe", "typer", "click", "rich", "moto", "pytest", "hypothesis"}
LIST = """
import importlib, json, sys
importlib.import_module("functions.{function}.handler")
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_neither_alembic_nor_the_command_line(function: str) -> None:
    command = [sys.executable, "-c", LIST.format(function=function)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = set(json.loads(ran.stdout))
    assert f"functions.{function}.handler" in modules
    assert {name for name in modules if name.partition(".")[0] in NEVER} == set()
    assert {name for name in modules if name.partition(".")[0] == "els"} == set()
