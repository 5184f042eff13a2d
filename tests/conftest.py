"""The servers of the tests: real ones, one of each per worker, started by whoever needs them first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from dev.postgres import PostgresServer
from dev.valkey import ValkeyCluster, ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Iterator


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
