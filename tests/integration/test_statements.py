"""Postgres accepts every statement on the migrated schema, and returns the columns that its header names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.statements import Statement
from tests.architecture.sql_headers import described

if TYPE_CHECKING:
    from sqlalchemy import Connection

STATEMENTS = [value for value in vars(statements).values() if isinstance(value, Statement)]
HEADERS = described()
# Of each kind of parameter that the headers know, one that selects nothing.
SHAPES = {"JSON": "[]", "last batch id": "", "seconds": 1.0, "number": 1, "position": 0}

# Cheaper than an index as long as the tables are empty.
OTHER_WAYS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


def parameters(statement: Statement) -> dict[str, object]:
    return {
        name: next(value for kind, value in SHAPES.items() if shape.startswith(kind))
        for name, shape in HEADERS[statement.name].parameters.items()
    }


def plan(connection: Connection, statement: Statement) -> str:
    rows = connection.execute(text(f"EXPLAIN {statement.clause.text}"), parameters(statement))
    return "\n".join(rows.scalars())


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
def test_a_statement_returns_the_columns_that_its_header_names(
    connection: Connection, statement: Statement
) -> None:
    result = connection.execute(statement.clause, parameters(statement))
    assert (list(result.keys()) if result.returns_rows else None) == HEADERS[statement.name].columns()


@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        (statements.READ_SNAPSHOTS, "Index Cond: (batch_id = (jsonb_array_elements_text("),
        (statements.READ_IDLE_OPEN_BATCHES, "Index Cond: (batch_id > "),
    ],
    ids=lambda value: value.name if isinstance(value, Statement) else "",
)
def test_the_view_is_expanded_so_that_its_readers_find_batches_by_index(
    connection: Connection, statement: Statement, condition: str
) -> None:
    for way in OTHER_WAYS:
        connection.exec_driver_sql(f"SET {way} = off")
    found = plan(connection, statement)
    assert condition in found
    assert found.count("Index Cond: (batch_id = b.batch_id)") >= 2
    assert "Subquery Scan" not in found
