"""What a migration may do under traffic, and what happens when it does something else."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory

from els_core.adapters.postgres import connection as postgres_connection
from els_core.adapters.postgres import schema_upgrade as migrating
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.schema_upgrade import upgrade
from els_core.bootstrap import Container
from els_core.domain.batches import Status
from els_core.domain.errors import CoordinationTimeoutError
from els_core.settings import read_settings
from tests.factories import content, registration
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

# As docs/runbooks/migrations.md lists them.
BEFORE = "CREATE INDEX CONCURRENTLY by_class ON batches (class_id)"
SAFE = """
    op.execute("ALTER TABLE batches ADD COLUMN note text")
    op.execute("ALTER TABLE essays ADD COLUMN weight integer NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE essays ADD CONSTRAINT weight_is_positive CHECK (weight > 0) NOT VALID")
    op.execute("ALTER TABLE essays VALIDATE CONSTRAINT weight_is_positive")
    op.execute("CREATE TABLE notes (id bigint PRIMARY KEY)")
    op.execute("CREATE INDEX IF NOT EXISTS by_class ON batches (class_id)")
"""
REWRITES = """
    op.execute("ALTER TABLE batches ALTER COLUMN version TYPE numeric")
    op.execute("SELECT pg_sleep(2)")
    op.execute("ALTER TABLE batches ALTER COLUMN version TYPE bigint")
"""
SLOW = """
    op.execute("SELECT pg_sleep(0.6)")
"""
ADDS = """
    op.execute("ALTER TABLE essays ADD COLUMN weight integer")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the migrations, to which a test adds one."""
    copy = Path(shutil.copytree("migrations", tmp_path / "migrations"))
    monkeypatch.setattr(migrating, "_migrations", lambda: str(copy))
    return copy


def add_migration(folder: Path, body: str) -> None:
    head = ScriptDirectory(str(folder)).get_current_head()
    revisions = f'revision = "9999"\ndown_revision = "{head}"'
    text = f"from alembic import op\n\n{revisions}\n\n\ndef upgrade() -> None:"
    (folder / "versions" / "9999_one_more.py").write_text(text + body, "utf-8")


@dataclass
class Traffic:
    """Two environments that fill batches, and the number of batches that each has filled."""

    filled: list[int]
    workers: list[Future[None]]

    def wait_for_progress(self) -> None:
        """Wait until each environment has filled another batch."""
        before = list(self.filled)
        while not all(now > then for now, then in zip(self.filled, before, strict=True)):
            Event().wait(0.01)
            for worker in self.workers:
                if worker.done():
                    worker.result()


@contextmanager
def traffic_on(database_url: str, valkey: ValkeyServer) -> Iterator[Traffic]:
    """Register and fill batches in two environments until the block ends."""
    filled = [0, 0]
    stop = Event()

    def fill_batches(number: int) -> None:
        environment = Environment(database_url, valkey.url)
        while not stop.is_set():
            batch_id = f"b{number}-{filled[number]}"
            environment.register(registration(3, batch_id))
            for arrival in range(3):
                environment.provision(content(f"c{arrival}", batch_id))
            assert environment.snapshot(batch_id).batch.status is Status.READY
            filled[number] += 1
        environment.close()

    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(fill_batches, number) for number in range(2)]
        try:
            yield Traffic(filled, workers)
        finally:
            stop.set()
            for worker in workers:
                worker.result()


def wait_for_session(postgres: PostgresServer, condition: str) -> None:
    sql = f"SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {condition}"  # noqa: S608 - ours
    while postgres.execute(sql) == [[0]]:
        Event().wait(0.01)


def migrate(database_url: str) -> str:
    engine = connect(database_url)
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


def test_a_migration_that_the_runbook_calls_safe_disturbs_no_invocation(
    folder: Path, database_url: str, valkey: ValkeyServer, postgres: PostgresServer
) -> None:
    add_migration(folder, SAFE)
    with traffic_on(database_url, valkey) as traffic:
        traffic.wait_for_progress()
        postgres.execute(BEFORE, database=database_url.rpartition("/")[2])
        assert migrate(database_url) == "9999"
        traffic.wait_for_progress()


def test_a_migration_that_waits_for_a_lock_does_not_block_the_traffic(
    folder: Path, database_url: str, valkey: ValkeyServer, postgres: PostgresServer
) -> None:
    add_migration(folder, ADDS)
    reader = connect(database_url)
    with traffic_on(database_url, valkey) as traffic, ThreadPoolExecutor(1) as pool:
        with reader.begin() as long:
            long.exec_driver_sql("SELECT FROM essays")
            migrated = pool.submit(migrate, database_url)
            wait_for_session(postgres, "wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE essays%'")
            traffic.wait_for_progress()
            assert not migrated.done()
        assert migrated.result() == "9999"
    reader.dispose()


def test_a_table_rewrite_under_traffic_makes_messages_retry_and_loses_nothing(
    folder: Path, database_url: str, valkey: ValkeyServer, postgres: PostgresServer
) -> None:
    add_migration(folder, REWRITES)
    name = database_url.rpartition("/")[2]
    postgres.execute(f'ALTER ROLE els IN DATABASE "{name}" SET lock_timeout = 300')
    environment = Environment(database_url, valkey.url)
    environment.register(registration(1))
    with ThreadPoolExecutor(1) as pool:
        migrated = pool.submit(migrate, database_url)
        wait_for_session(postgres, "query LIKE 'SELECT pg_sleep(2)%'")
        with pytest.raises(CoordinationTimeoutError):
            environment.provision(content("a"))
        assert migrated.result() == "9999"
    assert environment.outcomes(content("a")) == {"assigned": 1}
    environment.close()


def test_a_migration_is_not_bound_by_the_timeouts_of_the_role_and_the_functions(
    folder: Path, database_url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_migration(folder, SLOW)
    monkeypatch.setattr(postgres_connection, "SOCKET_TIMEOUT_SECONDS", 0.3)
    name = database_url.rpartition("/")[2]
    for limit in ("lock_timeout", "statement_timeout"):
        postgres.execute(f"ALTER ROLE els IN DATABASE \"{name}\" SET {limit} = '300ms'")
    settings = read_settings({"ELS_DATABASE_URL": database_url, "ELS_REDIS_URL": "redis://h:6379"})
    assert Container(settings).migrate_database() == "9999"
