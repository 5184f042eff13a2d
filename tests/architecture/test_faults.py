"""docs/faults.md and the tests hold each other: every line has a test, and every marker has a line."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.architecture.project import parse, python_files

FAULTS = Path("docs/faults.md")
ROW = re.compile(r"^\|\s*(\d+)\s*\|(.*)\|\s*$", re.MULTILINE)
TEST_FILE = re.compile(r"tests/[\w/]+\.py")
TEST_NAME = re.compile(r"\btest_\w+\b(?!\.py)")


def lines() -> dict[int, str]:
    """Return the rows of the table by their number."""
    rows = ROW.findall(FAULTS.read_text("utf-8"))
    assert len(rows) == len({number for number, _ in rows}), "a number stands twice"
    return {int(number): text for number, text in rows}


def marked_files() -> dict[int, set[str]]:
    """Return the files that hold `pytest.mark.fault(number)`, by number."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in python_files("tests"):
        for node in ast.walk(parse(path)):
            match node:
                case ast.Call(func=ast.Attribute(attr="fault"), args=[ast.Constant(value=int(number))]):
                    found[number].add(path.as_posix())
    return found


def names_of_tests() -> set[str]:
    """Return the names of all tests."""
    return {
        node.name
        for path in python_files("tests")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_line_has_a_test() -> None:
    assert set(lines()) - set(marked_files()) == set()


def test_every_marker_has_a_line() -> None:
    assert set(marked_files()) - set(lines()) == set()


@pytest.mark.parametrize("number", lines())
def test_a_line_cites_tests_that_exist_and_bear_its_number(number: int) -> None:
    text = lines()[number]
    files, names = set(TEST_FILE.findall(text)), set(TEST_NAME.findall(text))
    assert files | names, "the line cites no test"
    assert files <= marked_files()[number], "a cited file has no test with this number"
    assert names <= names_of_tests(), "a cited test does not exist"
