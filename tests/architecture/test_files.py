"""Files and functions stay small, modules have meaningful names, and one file reads the environment."""

from __future__ import annotations

import ast
import re
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.architecture.project import CORE, OURS, names_in, parse, python_files

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 10
NO_ROOMS = {"utils", "common", "helpers", "misc", "base", "manager", "impl", "env"}
# What needs a program that not every machine has: pgbouncer, Prometheus, Chromium, the emulator of the
# Lambda runtime. .ci/run installs the first three.
MAY_SKIP = {
    ("tests/integration/test_monitoring.py", "skipif"),
    ("tests/integration/test_page.py", "skip"),
    ("tests/integration/test_session_defaults.py", "skip"),
    ("tests/chaos/conftest.py", "skip"),
    ("tests/e2e/test_architecture.py", "skip"),
}
SHIPPED = python_files("layers", "functions", "migrations")


def lengths(path: Path) -> list[tuple[int, str]]:
    return [
        (1 + (node.end_lineno or 0) - node.lineno, node.name)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_file_is_longer_than_250_lines() -> None:
    sizes = {str(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*OURS)}
    assert {path: size for path, size in sizes.items() if size > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines_and_most_are_short() -> None:
    long = {
        f"{path}:{name}": length
        for path in python_files(*OURS)
        for length, name in lengths(path)
        if length > MAX_FUNCTION_LINES
    }
    assert long == {}
    assert median(length for path in SHIPPED for length, _ in lengths(path)) < MEDIAN_FUNCTION_LINES


def test_no_module_has_a_name_without_meaning() -> None:
    parts = {part for path in python_files(*OURS) for part in path.with_suffix("").parts}
    assert parts & (NO_ROOMS - {"env"}) == set()
    assert {path.stem for path in python_files("layers")} & NO_ROOMS == set()


def test_only_the_settings_name_environment_variables() -> None:
    naming = re.compile(r"environ|getenv|ELS_[A-Z_]+")
    found = {path for path in SHIPPED if any(naming.fullmatch(name) for name in names_in(path))}
    assert found == {CORE / "settings.py"}


@pytest.mark.parametrize("room", ["domain", "application"])
def test_domain_and_application_take_the_time_as_an_input(room: str) -> None:
    for path in python_files(str(CORE / room)):
        assert not {"now", "utcnow", "monotonic", "perf_counter"} & _called_on_modules(path)


def _called_on_modules(path: Path) -> set[str]:
    """Return the names that are called on `datetime` or `time`."""
    return {
        node.func.attr
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "time"}
    }


@pytest.mark.fault(44)
def test_only_the_listed_tests_are_skipped_and_none_sleeps() -> None:
    forbidden = {"skip", "skipif", "xfail", "sleep"}
    found = {
        (str(path), name)
        for path in python_files("tests")
        if "architecture" not in path.parts
        for name in forbidden & set(_attributes(path))
    }
    assert found == MAY_SKIP


def _attributes(path: Path) -> list[str]:
    return [node.attr for node in ast.walk(parse(path)) if isinstance(node, ast.Attribute)]
