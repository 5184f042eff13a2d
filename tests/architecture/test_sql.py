"""The header and the body of each SQL statement say the same, and SQL stands in .sql files alone."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.statements import Statement
from tests.architecture.project import CORE, parse, python_files
from tests.architecture.sql_headers import SQL, described

if TYPE_CHECKING:
    from pathlib import Path

STATEMENTS = described()
LOADED = {name: value for name, value in vars(statements).items() if isinstance(value, Statement)}
LONGEST_LINE = 120


def test_every_statement_has_a_constant_of_its_name_and_nothing_but_its_sql() -> None:
    assert {name: value.name.upper() for name, value in LOADED.items()} == {name: name for name in LOADED}
    assert {value.name: value.clause.text for value in LOADED.values()} == {
        name: one.body.strip().removesuffix(";") for name, one in STATEMENTS.items()
    }


def test_every_statement_is_used() -> None:
    used = {
        node.attr
        for path in python_files(str(CORE / "adapters/postgres"))
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "statements"
    }
    assert used == LOADED.keys()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_header_promises_something_in_sentences(name: str) -> None:
    one = STATEMENTS[name]
    assert re.match(r"[A-Z]\w+s .*\.$", one.promise.replace("\n", " "))
    assert one.returns.startswith("Returns ")
    columns = one.columns()
    assert one.returns == "Returns nothing." if columns is None else columns


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_a_statement_takes_is_declared_with_its_shape_and_what_it_declares_it_takes(name: str) -> None:
    one = STATEMENTS[name]
    assert set(text(one.body).compile().params) == set(one.parameters)
    assert all(one.parameters.values())


@pytest.mark.parametrize("name", STATEMENTS)
def test_an_array_of_objects_is_declared_with_the_fields_that_the_statement_reads(name: str) -> None:
    one = STATEMENTS[name]
    records = re.findall(r"jsonb_to_recordset\(CAST\(:(\w+) AS jsonb\)\) AS \w+ \(([^)]*)\)", one.body)
    read = {parameter: [column.split()[0] for column in columns.split(",")] for parameter, columns in records}
    assert read == one.fields()
    assert len(records) == one.body.count("jsonb_to_recordset")


@pytest.mark.parametrize("path", sorted(SQL.iterdir()), ids=lambda path: path.name)
def test_an_sql_file_fits_the_page_and_ends_each_statement(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert [line for line in lines if len(line) > LONGEST_LINE] == []
    assert sum(line.endswith(";") for line in lines) == sum(line.startswith("-- name: ") for line in lines)


def test_no_python_file_of_the_layer_contains_sql() -> None:
    sql = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP)\b")
    found = {
        (path.name, node.value)
        for path in python_files(str(CORE))
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and sql.match(node.value)
    }
    assert found == set()
