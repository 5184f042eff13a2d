"""Statements have names that save Postgres work; a name that is lost or taken fails no invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.adapters.postgres import statements
from tests.factories import content, registration
from tests.integration.postgres_proxy import ProxiedEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

TAKEN = f"PREPARE {statements.READ_LOCKED_VIEW.name.decode()} AS SELECT 1"


@pytest.fixture
def environment(database_url: str, valkey: ValkeyServer) -> Iterator[ProxiedEnvironment]:
    environment = ProxiedEnvironment(database_url, valkey.url)
    yield environment
    environment.close()


def test_a_statement_is_parsed_once_per_connection_unless_it_must_have_no_name(
    environment: ProxiedEnvironment,
) -> None:
    environment.register(registration(10))
    environment.provision(content("a"))
    proxy = environment.proxy
    known = len(proxy.parsed)
    environment.provision(content("b"))
    assert len(proxy.parsed) == known
    environment.session.named = False
    environment.provision(content("c"))
    assert set(proxy.parsed[known:]) == {b""}


def test_a_statement_counts_as_known_only_when_postgres_has_parsed_it(
    environment: ProxiedEnvironment, postgres: PostgresServer
) -> None:
    environment.register(registration(10))
    database = environment.engine.url.database
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608
    environment.proxy.before_sql("INSERT INTO outbox", lambda: postgres.execute(kill))
    assert environment.outcomes(content("a")) == {"assigned": 1}
    assert environment.outcomes(content("b")) == {"assigned": 1}
    assert environment.session.named


def test_names_that_postgres_has_forgotten_are_used_no_more(environment: ProxiedEnvironment) -> None:
    environment.register(registration(10))
    environment.provision(content("a"))
    environment.execute("DEALLOCATE ALL")
    assert environment.outcomes(content("a"), content("b")) == {"duplicate": 1, "assigned": 1}
    assert not environment.session.named


def test_a_name_that_is_taken_is_used_no_more(environment: ProxiedEnvironment) -> None:
    environment.register(registration(10))
    environment.execute(TAKEN)
    assert environment.outcomes(content("a"), content("b")) == {"assigned": 2}
    assert not environment.session.named
