"""The tests run on the schema of the migrations, which also sets the timeouts of the role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import CheckConstraint, text

from els_core.adapters.postgres.connection import SOCKET_TIMEOUT_SECONDS, connect
from migrations.tables import METADATA
from tests.conftest import migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dev.servers.postgres import PostgresServer

pytestmark = pytest.mark.fault(20)

LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
CONSTRAINTS = """
SELECT c.conname, c.contype FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version' AND c.contype <> 'n'
"""
ROLE_LIMITS = """
SELECT setconfig FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
WHERE datname = current_database()
"""


def configured(connection: Connection) -> Config:
    config = Config(toml_file="pyproject.toml")
    config.attributes["connection"] = connection
    return config


def constraints(connection: Connection) -> set[tuple[str, str]]:
    rows = connection.execute(text(CONSTRAINTS)).all()
    connection.rollback()
    return {(name, kind) for name, kind in rows}


def test_alembic_check_finds_no_difference_between_tables_and_migrations(connection: Connection) -> None:
    command.check(configured(connection))


def test_tables_and_migrations_have_the_same_check_constraints(
    connection: Connection,
) -> None:
    made = {name for name, kind in constraints(connection) if kind == "c"}
    named = {
        str(constraint.name)
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert made == named


def test_the_name_of_every_constraint_says_what_it_demands(connection: Connection) -> None:
    sentence = re.compile(r"^[a-z]+(_[a-z]+){2,}$")
    assert [name for name, _ in constraints(connection) if not sentence.match(name)] == []


def test_downgrade_and_upgrade_lead_to_the_same_schema(
    connection: Connection, postgres: PostgresServer
) -> None:
    before = constraints(connection)
    command.downgrade(configured(connection), "base")
    assert constraints(connection) == set()
    assert connection.exec_driver_sql(ROLE_LIMITS).all() == []
    connection.rollback()
    command.upgrade(configured(connection), "head")
    assert constraints(connection) == before
    command.check(configured(connection))
    assert postgres.execute("SHOW lock_timeout") == [["0"]]


def test_migrating_twice_changes_nothing(postgres: PostgresServer) -> None:
    url = postgres.create_database("migrated_twice")
    migrate(url)
    migrate(url)
    postgres.drop_database("migrated_twice")


def test_the_timeouts_of_the_role_are_shorter_than_the_socket_timeout(database_url: str) -> None:
    engine = connect(database_url)
    with engine.connect() as opened:
        seconds = [
            float(str(opened.exec_driver_sql(f"SHOW {limit}").scalar()).removesuffix("s")) for limit in LIMITS
        ]
    engine.dispose()
    lock, statement, idle = seconds
    assert 0 < lock < statement < SOCKET_TIMEOUT_SECONDS
    assert 0 < idle < SOCKET_TIMEOUT_SECONDS


def test_a_client_killed_in_its_transaction_keeps_no_lock(
    database_url: str, connection: Connection, postgres: PostgresServer
) -> None:
    name = database_url.rpartition("/")[2]
    connection.exec_driver_sql("INSERT INTO batches (batch_id) VALUES ('b')")
    connection.exec_driver_sql(
        f'ALTER ROLE els IN DATABASE "{name}" SET idle_in_transaction_session_timeout = 200'
    )
    connection.commit()
    silent = connect(database_url)
    held = silent.connect()
    held.exec_driver_sql("SELECT FROM batches FOR UPDATE")
    # The default waits as long as the role says, which is longer than a transaction may be idle.
    assert connection.exec_driver_sql("SELECT batch_id FROM batches FOR UPDATE").scalar() == "b"
    held.invalidate()
    silent.dispose()
    assert postgres.execute("SELECT 1") == [[1]]
