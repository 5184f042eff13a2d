"""Each SQL statement has a header: what it promises, what it takes, what it returns; and keeps it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.statements import body_of, read_statements
from tests.architecture.project import python_files

if TYPE_CHECKING:
    from sqlalchemy import Connection

STATEMENTS = read_statements()
# A parameter of `text()`: a colon and a name, not a cast.
PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
SHAPES = {"JSON": "[]", "number": 0, "text": "", "boolean": True, "timestamp": None, "uuid": str(UUID(int=1))}


def header_of(name: str) -> str:
    """Return the header of a statement without its comment signs."""
    lines = STATEMENTS[name].strip().split("\n")
    return "\n".join(line.removeprefix("--").strip() for line in lines if line.startswith("--"))


def declared(name: str) -> dict[str, str]:
    """Return the shape of each parameter that the header declares."""
    return dict(
        re.findall(r"^:(\w+)\s+(JSON|number|text|boolean|timestamp|uuid)\b", header_of(name), re.MULTILINE)
    )


def returned(name: str) -> set[str]:
    """Return the columns that the header names."""
    promise = header_of(name).split("Returns ")[1].split(";")[0].split(". ")[0]
    without_shapes = re.sub(r"\[\[.*?\]\]|\[.*?\]|\(.*?\)", "", promise.replace("\n", " "))
    return set(re.findall(r"[a-z_]+", without_shapes.split(":")[0]))


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_header_promises_something_and_says_what_comes_back(name: str) -> None:
    header = header_of(name)
    assert re.match(r"[A-Z]", header)
    assert "Returns " in header


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_header_declares_exactly_the_parameters_of_its_statement(name: str) -> None:
    assert set(declared(name)) == set(PARAMETER.findall(body_of(STATEMENTS[name])))


@pytest.mark.parametrize("name", STATEMENTS)
def test_postgres_accepts_the_statement_and_returns_the_columns_of_its_header(
    name: str, connection: Connection
) -> None:
    parameters = {one: SHAPES[shape] for one, shape in declared(name).items()}
    result = connection.execute(text(body_of(STATEMENTS[name])), parameters)
    columns = set(result.keys()) if result.returns_rows else set()
    assert columns == (returned(name) if columns else set())


def test_every_statement_is_used_and_none_stands_in_python() -> None:
    constants = {name.lower() for name in vars(statements) if name.isupper() and not name.startswith("_")}
    assert constants - {"files"} == set(STATEMENTS)
    sources = {str(path): path.read_text("utf-8") for path in python_files("layers")}
    used = {
        name for name in STATEMENTS if any(f"statements.{name.upper()}" in text for text in sources.values())
    }
    assert used == set(STATEMENTS)
    assert [
        path
        for path, source in sources.items()
        if re.search(r"(?m)^\s*(SELECT|INSERT|UPDATE|DELETE) ", source)
    ] == []
