"""While Postgres fails nothing is decided, least of all parked or excess; afterwards every retry succeeds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from els_core.adapters.postgres import connection as postgres_connection
from els_core.adapters.postgres.calls import Call
from els_core.adapters.postgres.statements import Statement
from els_core.application.register_batch import Opened
from els_core.domain.errors import ExternalServiceError, FaultError, ProcessingError
from tests.factories import content, failure, registration
from tests.integration.postgres_proxy import ProxiedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.postgres import PostgresServer
    from els_core.adapters.postgres.pipeline import Pipeline
    from els_core.domain.arrivals import Arrival
    from tests.integration.environment import Environment

pytestmark = pytest.mark.fault(21)
STATEMENTS = 7  # of an invocation that closes a batch, including the deletion from the outbox


@contextmanager
def broken(postgres: PostgresServer, how: str, database: str) -> Iterator[None]:
    """Break Postgres for the length of the block."""
    read_only = f'ALTER DATABASE "{database}" SET default_transaction_read_only ='
    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "stopped": (postgres.stop, postgres.start),
        "frozen": (postgres.freeze, postgres.thaw),
        "read-only": (
            lambda: postgres.execute(f"{read_only} on"),
            lambda: postgres.execute(f"{read_only} off"),
        ),
    }
    break_it, repair_it = ways[how]
    break_it()
    if how == "read-only":
        terminate_connections(postgres, database)
    try:
        yield
    finally:
        repair_it()


def terminate_connections(postgres: PostgresServer, database: str) -> None:
    """Terminate all connections to a database."""
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608
    )


@pytest.fixture
def name(environment: Environment) -> str:
    return str(environment.engine.url.database)


@pytest.fixture
def proxied(environment: Environment) -> Iterator[ProxiedEnvironment]:
    """Another environment on the same stores, with a proxy before Postgres."""
    proxied = ProxiedEnvironment(environment.database_url, environment.redis_url)
    yield proxied
    proxied.close()


@pytest.fixture
def impatient(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProxiedEnvironment]:
    """An environment that waits only one second for an answer of Postgres."""
    monkeypatch.setattr(postgres_connection, "SOCKET_TIMEOUT_SECONDS", 1)
    impatient = ProxiedEnvironment(environment.database_url, environment.redis_url)
    yield impatient
    impatient.close()


@pytest.mark.parametrize("how", ["stopped", "frozen", "read-only"])
def test_nothing_is_decided_while_postgres_is_down_and_everything_succeeds_afterwards(
    environment: Environment, impatient: ProxiedEnvironment, postgres: PostgresServer, name: str, how: str
) -> None:
    environment.register(registration(3))
    environment.provision(content("a"))
    arrivals: list[Arrival] = [content("a"), content("b"), failure("f"), content("early", "not registered")]
    with broken(postgres, how, name):
        for work in (
            lambda: impatient.provision(*arrivals),
            lambda: impatient.register(registration(1, "other")),
            impatient.expire,
        ):
            with pytest.raises(ExternalServiceError, match="Postgres"):
                work()
    assert (len(environment.snapshot().assigned), len(environment.snapshot().slot_failures)) == (1, 0)
    assert environment.repository.snapshots(["not registered"]) == []
    assert environment.repository.snapshots(["other"]) == []
    assert impatient.outcomes(*arrivals) == {"duplicate": 1, "assigned": 1, "failed": 1, "parked": 1}
    assert impatient.register(registration(1, "other")).answers == [Opened()]
    assert impatient.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.parametrize("statement", [1, 3, "commit"])
def test_a_hanging_postgres_is_waited_for_once(
    environment: Environment, impatient: ProxiedEnvironment, postgres: PostgresServer, statement: int | str
) -> None:
    environment.register(registration(1))
    if isinstance(statement, int):
        impatient.proxy.before_statement(statement, postgres.freeze)
    else:
        impatient.proxy.before_next_commit(postgres.freeze)
    try:
        with pytest.raises(ExternalServiceError, match=r"TimeoutError|OSError"):
            impatient.provision(content("a"))
    finally:
        postgres.thaw()
    assert impatient.proxy.connections == 1
    assert sum(impatient.outcomes(content("a")).values()) == 1
    assert len(environment.snapshot().assigned) == 1
    environment.relay()
    assert environment.bus.event_counts() + impatient.bus.event_counts() == {
        "EssaySlotsAssigned": 1,
        "BatchEssaysReady": 1,
    }


@pytest.mark.parametrize("statement", range(1, STATEMENTS + 1))
def test_a_connection_lost_before_any_statement_fails_no_invocation(
    proxied: ProxiedEnvironment, postgres: PostgresServer, name: str, statement: int
) -> None:
    proxied.register(registration(2))
    proxied.proxy.before_statement(statement, lambda: terminate_connections(postgres, name))
    assert proxied.outcomes(content("a"), failure("f")) == {"assigned": 1, "failed": 1}
    assert proxied.proxy.hooks == []  # the connection was lost there
    proxied.relay()
    assert proxied.bus.event_counts() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.fault(2)
def test_a_commit_whose_acknowledgement_is_lost_counts_once_and_is_announced(
    proxied: ProxiedEnvironment,
) -> None:
    proxied.register(registration(2))
    proxied.proxy.lose_next_commit_answer()
    assert proxied.outcomes(content("a"), failure("f")) == {"duplicate": 2}
    assert (len(proxied.snapshot().assigned), len(proxied.snapshot().slot_failures)) == (1, 1)
    proxied.relay()
    assert proxied.bus.event_counts() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.fault(6)
@pytest.mark.parametrize("statement", [1, 2, 3, 4, 5])
def test_a_registration_that_fails_at_any_statement_leaves_nothing_and_a_retry_succeeds(
    environment: Environment, proxied: ProxiedEnvironment, postgres: PostgresServer, name: str, statement: int
) -> None:
    environment.provision(content("early"))
    proxied.proxy.before_statement(statement, lambda: terminate_connections(postgres, name), always=True)
    with pytest.raises(FaultError):
        proxied.register(registration(2))
    assert environment.snapshot().batch.status == "awaited"
    assert environment.register(registration(2)).answers == [Opened()]
    assert (len(environment.snapshot().assigned), len(environment.snapshot().available)) == (1, 1)


def test_a_transaction_that_postgres_rolled_back_is_not_a_commit(
    environment: Environment,
) -> None:
    def ignore_a_failure(pipeline: Pipeline) -> None:
        with pytest.raises(FaultError):
            pipeline.now(Call("divide by zero", Statement.of("SELECT 1 / 0")))

    with pytest.raises(ProcessingError, match=r"commit.*ROLLBACK"):
        environment.session.transact(ignore_a_failure)
