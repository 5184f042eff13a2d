"""The real servers of the tests: one of each per worker, started by the first test that needs it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from dev.servers.postgres import PostgresServer
from dev.servers.valkey import ValkeyCluster, ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        migrate(server.create_database("migrated"))
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    yield postgres.create_database(name, template="migrated")
    postgres.drop_database(name)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """Return a plain connection to the database of this test."""
    engine = create_engine(database_url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@pytest.fixture(scope="session")
def valkey_alone() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[ValkeyCluster]:
    with ValkeyCluster() as cluster:
        yield cluster


@pytest.fixture
def valkey(valkey_alone: ValkeyServer) -> ValkeyServer:
    with valkey_alone.client() as client:
        client.flushall()
    return valkey_alone


def migrate(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        config = Config(toml_file="pyproject.toml")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many crash points the simulation visited."""
    visited: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "crash points":
                room, _, count = str(value).split("/")
                visited[room] += int(count)
    if visited:
        counts = ", ".join(f"{count} {room}" for room, count in sorted(visited.items()))
        terminalreporter.write_line(f"crash points visited: {counts}")
