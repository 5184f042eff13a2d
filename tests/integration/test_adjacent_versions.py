"""Expand and contract: while a deployment runs, the functions of the version before work on the new schema.

What a migration takes away, no function of the version before uses any more; it is listed here.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from dev.servers.postgres import PostgresServer

CONFIG = Config(toml_file="pyproject.toml")
REVISIONS = [each.revision for each in reversed([*ScriptDirectory.from_config(CONFIG).walk_revisions()])]
PAIRS = [*pairwise(REVISIONS)]

# By revision: the columns, constraints and indexes, as (table, name), that it takes away or changes.
# A check that 0004 made wider takes the place and the name of the narrower one.
WIDENED = {
    ("batches", "batch_status_is_known"),
    ("batches", "awaited_batch_has_no_registration"),
    ("batches", "registered_batch_has_its_terms"),
    ("essays", "slot_status_is_known"),
    ("validation_failures", "late_reason_is_known"),
    ("excess_contents", "excess_reason_is_known"),
    ("batch_epochs", "epoch_status_is_known"),
    ("batch_epochs", "epoch_end_is_known"),
}
VALIDATED = {("batches", "cancelled_batch_has_a_missing_slot")}
CONTRACTS: dict[str, set[tuple[str, str]]] = {
    "0005": WIDENED | {(table, f"wider_{name}") for table, name in WIDENED} | VALIDATED,
}

# What the code of each revision writes, beyond what that of the one before does.
WRITES = {
    "0001": (
        "INSERT INTO batches (batch_id) VALUES ('awaited')",
        """INSERT INTO parked_arrivals (batch_id, identity, arrival) VALUES ('awaited', 'content:a', '{}')""",
        """INSERT INTO batches (batch_id, status, version, expected_count, deadline, fingerprint, course_code,
            user_id, timeout_seconds, correlation_id)
        VALUES ('b', 'open', 1, 2, clock_timestamp(), 'f', 'ENG5', 'teacher', 60, 'c')""",
        "INSERT INTO essays (batch_id, essay_id) VALUES ('b', 'essay-1'), ('b', 'essay-2')",
        """UPDATE essays SET status = 'assigned', text_storage_id = 'a', raw_file_storage_id = 'r',
            original_file_name = 'a.txt', file_size_bytes = 1, settled_at = clock_timestamp()
        WHERE essay_id = 'essay-1'""",
        """UPDATE essays SET status = 'failed', failure_identity = 'upload:f', settled_at = clock_timestamp()
        WHERE essay_id = 'essay-2'""",
        """INSERT INTO validation_failures (batch_id, identity, essay_id, event_id, error_code, error_message,
            original_file_name, raw_file_storage_id, file_size_bytes)
        VALUES ('b', 'upload:f', 'essay-2', 'e', 'EMPTY_CONTENT', 'empty', 'f.txt', 'r', 0)""",
        """INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name,
            raw_file_storage_id)
        VALUES ('b', 'x', 'NO_AVAILABLE_SLOT', 'x.txt', 'r')""",
        """UPDATE batches SET status = 'ready', version = 2, assigned_count = 1, failed_count = 1,
            announced_digest = 'd', changed_at = clock_timestamp()
        WHERE batch_id = 'b'""",
        """INSERT INTO outbox (event_id, batch_id, detail_type, detail)
        VALUES ('6f1f0f5e-0000-4000-8000-000000000001', 'b', 'EssaySlotsAssigned', '{}')""",
    ),
    "0002": (
        "INSERT INTO batch_epochs (batch_id, epoch, opened_at) VALUES ('b', 1, clock_timestamp())",
        """UPDATE batch_epochs SET ended_at = clock_timestamp(), status = 'ready', ended_by = 'full',
            event_id = '6f1f0f5e-0000-4000-8000-000000000002', detail_type = 'BatchEssaysReady',
            detail = '{}', digest = 'd'""",
        """INSERT INTO outbox (event_id, batch_id, detail_type, detail, is_final)
        VALUES ('6f1f0f5e-0000-4000-8000-000000000002', 'b', 'BatchEssaysReady', '{}', true)""",
        """INSERT INTO job_runs (job, ran_at) VALUES ('expire_batches', clock_timestamp())
        ON CONFLICT ON CONSTRAINT one_row_per_job DO UPDATE SET ran_at = excluded.ran_at""",
    ),
    "0003": ("INSERT INTO erasures (batch_id, actor, reason) VALUES ('b', 'operator', 'request')",),
    "0004": (
        """INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name,
            raw_file_storage_id, file_size_bytes, correlation_id, supersedes)
        VALUES ('b', 'y', 'NO_AVAILABLE_SLOT', 'y.txt', 'r', 1, 'c', 'content:a')""",
        """INSERT INTO superseded_arrivals (batch_id, identity, by_identity, essay_id, arrival, arrived_at)
        VALUES ('b', 'content:z', 'content:a', 'essay-1', '{}', clock_timestamp())""",
        """INSERT INTO batch_commands (batch_id, command_id, door, source, command, body, fingerprint, actor,
            answer, refusal, version, epoch)
        VALUES ('b', 'k', 'bus', 'operations', 'close', '{}', 'f', 'teacher', '{}', 'TOO_LATE', 2, 1)""",
        "UPDATE batches SET last_arrival_at = clock_timestamp() WHERE batch_id = 'b'",
    ),
    "0005": ("INSERT INTO essays (batch_id, essay_id, status) VALUES ('b', 'essay-3', 'withdrawn')",),
}
PARTS = """
SELECT t.relname, a.attname,
    format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
FROM pg_attribute AS a JOIN pg_class AS t ON t.oid = a.attrelid
WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND a.attnum > 0
    AND NOT a.attisdropped
UNION ALL SELECT t.relname, c.conname, pg_get_constraintdef(c.oid)
FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
WHERE t.relnamespace = current_schema()::regnamespace AND c.contype <> 'n'
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
"""


@pytest.fixture
def connection(postgres: PostgresServer) -> Iterator[Connection]:
    name = f"adjacent_{uuid4().hex}"
    engine = create_engine(postgres.create_database(name))
    with engine.connect() as opened:
        yield opened
    engine.dispose()
    postgres.drop_database(name)


def upgrade(connection: Connection, revision: str) -> None:
    connection.rollback()  # Alembic commits nothing inside a transaction that it did not begin
    CONFIG.attributes["connection"] = connection
    command.upgrade(CONFIG, revision)
    reached = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    assert reached == revision
    connection.commit()


def schema(connection: Connection) -> dict[tuple[str, str], str]:
    """Return the definition of each column, constraint and index by its table and name."""
    return {(table, name): definition for table, name, definition in connection.execute(text(PARTS))}


def write_as(connection: Connection, revision: str) -> None:
    """Write what the code of a revision writes."""
    for known in REVISIONS[: REVISIONS.index(revision) + 1]:
        for statement in WRITES[known]:
            connection.exec_driver_sql(statement)
    connection.commit()


def rows(connection: Connection, columns: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: sorted(
            tuple(map(str, row))
            for row in connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608
        )
        for table, names in columns.items()
    }


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_migration_only_adds_or_takes_away_what_is_listed(
    connection: Connection, before: str, after: str
) -> None:
    upgrade(connection, before)
    known = schema(connection)
    upgrade(connection, after)
    found = schema(connection)
    changed = {part for part, definition in known.items() if found.get(part) != definition}
    assert changed == CONTRACTS.get(after, set())


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_functions_of_the_version_before_write_on_the_new_schema(
    connection: Connection, before: str, after: str
) -> None:
    upgrade(connection, after)
    write_as(connection, before)
    written = connection.exec_driver_sql("SELECT status FROM batches ORDER BY batch_id").scalars().all()
    assert written == ["awaited", "ready"]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_migration_changes_no_value_that_the_version_before_wrote(
    connection: Connection, before: str, after: str
) -> None:
    upgrade(connection, before)
    write_as(connection, before)
    columns: dict[str, list[str]] = {}
    names = (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    for table, column in connection.exec_driver_sql(f"{names} AND table_name <> 'alembic_version'"):
        columns.setdefault(table, []).append(column)
    written = rows(connection, columns)
    assert all(written.values())
    upgrade(connection, after)
    assert rows(connection, columns) == written


def test_the_writes_of_every_version_but_the_newest_are_known() -> None:
    assert list(WRITES) == REVISIONS[:-1]
