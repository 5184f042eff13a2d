"""Every line of what goes wrong in such systems, docs/faults.md, has a test that names its number."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.architecture.project import parse, python_files

REQUIRED = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23}
LINES = range(1, 45)


def files_by_line() -> dict[int, list[str]]:
    """Return the files that hold `pytest.mark.fault(number)`, by number."""
    found: dict[int, list[str]] = defaultdict(list)
    for path in python_files("tests"):
        for node in ast.walk(parse(path)):
            match node:
                case ast.Call(func=ast.Attribute(attr="fault"), args=[ast.Constant(value=int(number))]):
                    found[number].append(str(path))
    return found


def test_every_required_line_has_a_test() -> None:
    assert set(files_by_line()) >= REQUIRED


def test_every_number_is_a_line() -> None:
    assert set(files_by_line()) <= set(LINES)
