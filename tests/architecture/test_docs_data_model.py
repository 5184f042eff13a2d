"""docs/data-model.md lists exactly what the migrations make and which keys Redis has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from els_core.adapters.redis import keys
from tests.architecture.documents import Page, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

PAGE = Page(Path("docs/data-model.md"))
SECTIONS = PAGE.sections("## ")
TABLES = {heading.strip("`"): text for heading, text in SECTIONS.items() if heading.startswith("`")}

COLUMNS = """
SELECT t.relname, a.attname,
    replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz'),
    CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END
FROM pg_attribute AS a JOIN pg_class AS t ON t.oid = a.attrelid
WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = ANY (:kinds)
    AND t.relname <> 'alembic_version' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname, a.attnum
"""
CONSTRAINTS = """
SELECT t.relname, c.conname,
    CASE c.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
        ELSE 'check' END
FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version' AND c.contype <> 'n'
"""
INDEXES = """
SELECT t.relname, i.relname FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version'
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.indexrelid)
"""


def documented(head: str, width: int) -> list[tuple[str, ...]]:
    """Return the first cells of the tables with this heading, each with its table's name."""
    return [(name, *row[:width]) for name, section in TABLES.items() for row in tables(section).get(head, [])]


def made(connection: Connection, statement: str, **parameters: list[str]) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.execute(text(statement), parameters)]


def columns(connection: Connection) -> list[tuple[str, ...]]:
    return made(connection, COLUMNS, kinds=["r", "p"])


def test_tables_and_their_columns_are_those_of_the_migrated_schema(connection: Connection) -> None:
    assert sorted(documented("column", 3)) == sorted(columns(connection))


def test_columns_are_in_the_order_of_the_schema(connection: Connection) -> None:
    order = {name: [row for row in columns(connection) if row[0] == name] for name in TABLES}
    assert documented("column", 3) == [row for name in TABLES for row in order[name]]


def test_views_and_their_columns_are_those_of_the_migrated_schema(connection: Connection) -> None:
    views = [row[:3] for row in made(connection, COLUMNS, kinds=["v", "m"])]
    assert sorted(documented("column of the view", 2)) == sorted(views)


def test_constraints_are_those_of_the_migrated_schema(connection: Connection) -> None:
    assert sorted(documented("constraint", 2)) == sorted(made(connection, CONSTRAINTS))


def test_indexes_are_those_of_the_migrated_schema(connection: Connection) -> None:
    assert sorted(documented("index", 1)) == sorted(made(connection, INDEXES))


def test_redis_keys_are_those_of_the_adapter() -> None:
    rows = tables(SECTIONS["Redis keys"])["key"]
    assert [row[0] for row in rows] == [keys.key("<batch_id>", name) for name in keys.ALL]


def test_the_types_of_redis_keys_are_those_that_the_script_declares() -> None:
    script = Path(keys.__file__).parent.joinpath("scripts", "install.lua").read_text("utf-8")
    declared = re.findall(r"^-- KEYS\[\d+\] (\w+)", script, re.MULTILINE)
    assert [row[1] for row in tables(SECTIONS["Redis keys"])["key"]] == declared
