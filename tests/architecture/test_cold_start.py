"""A cold start imports nothing that its function does not use."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.project import FUNCTIONS

# Alembic and what it brings, the command line and what it brings, and what only tests and tools use.
NEVER = {"alembic", "mako", "markupsafe", "typer", "click", "rich", "moto", "pytest", "hypothesis"}
# What only the functions of a route, of a deployment or of a person need.
NOT_ON_A_QUEUE = (
    "aws_lambda_powertools.event_handler",
    "els_core.adapters.aws.custom_resource",
    "els_core.adapters.postgres.schema_upgrade",
    "els_core.contracts.http_api",
)
LIST = """
import importlib, json, sys
importlib.import_module("functions.{function}.handler")
print(json.dumps(sorted(sys.modules)))
"""


def imported_by(function: str) -> set[str]:
    command = [sys.executable, "-c", LIST.format(function=function)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = set(json.loads(ran.stdout))
    assert f"functions.{function}.handler" in modules
    return modules


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_neither_alembic_nor_the_command_line(function: str) -> None:
    modules = imported_by(function)
    assert {name for name in modules if name.partition(".")[0] in NEVER} == set()
    assert {name for name in modules if name.partition(".")[0] == "els"} == set()


@pytest.mark.parametrize("function", ["provision_content", "register_batch", "steer_batch"])
def test_a_function_behind_a_queue_imports_nothing_of_the_other_doors(function: str) -> None:
    assert {name for name in imported_by(function) if name.startswith(NOT_ON_A_QUEUE)} == set()


def test_the_other_doors_are_imported_where_they_are_used() -> None:
    modules = imported_by("batch_status") | imported_by("migrate_database")
    assert {name for name in NOT_ON_A_QUEUE if name not in modules} == {
        "els_core.adapters.postgres.schema_upgrade"  # at the migration itself
    }
