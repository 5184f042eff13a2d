"""Whatever Postgres does: all comes back, nothing is parked or called excess by mistake, then all is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from pg8000.exceptions import InterfaceError
from sqlalchemy import event

from els_core.adapters.postgres import connection as postgres_connection
from els_core.application.register_batch import Opened
from els_core.domain.errors import ExternalServiceError, FaultError
from tests.factories import content, failure, registration
from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import PoolProxiedConnection

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival

pytestmark = pytest.mark.fault(21)
STATEMENTS = 7  # of an invocation that closes a batch, the deletion from the outbox among them


@contextmanager
def broken(postgres: PostgresServer, how: str, database: str) -> Iterator[None]:
    """Break Postgres, and mend it."""
    read_only = f'ALTER DATABASE "{database}" SET default_transaction_read_only ='
    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "stopped": (postgres.stop, postgres.start),
        "frozen": (postgres.freeze, postgres.thaw),
        "read-only": (
            lambda: postgres.execute(f"{read_only} on"),
            lambda: postgres.execute(f"{read_only} off"),
        ),
    }
    breaks, mends = ways[how]
    breaks()
    cut(postgres, database) if how == "read-only" else None
    try:
        yield
    finally:
        mends()


def cut(postgres: PostgresServer, database: str) -> None:
    """Cut all connections to a database."""
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608
    )


def at_statement(world: World, number: int, act: Callable[[], None], *, always: bool = False) -> None:
    """Act just before the statement of that number, counted from now; once, or from then on."""
    seen = 0

    @event.listens_for(world.engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number or (always and seen > number):
            act()


def at_commit(world: World, act: Callable[[], None]) -> None:
    """Act just before the next commit."""
    event.listen(world.engine, "commit", lambda _: act(), once=True)


@pytest.fixture
def name(world: World) -> str:
    return str(world.engine.url.database)


@pytest.fixture
def impatient(database_url: str, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A copy that waits one second only for an answer of Postgres."""
    monkeypatch.setattr(postgres_connection, "SOCKET_TIMEOUT_SECONDS", 1)
    copy = World(database_url, valkey.url)
    yield copy
    copy.close()


@pytest.mark.parametrize("how", ["stopped", "frozen", "read-only"])
def test_all_comes_back_and_is_done_when_postgres_is_back(
    world: World, impatient: World, postgres: PostgresServer, name: str, how: str
) -> None:
    world.register.register([registration(3)])
    world.provision.provision([content("a")])
    arrivals: list[Arrival] = [content("a"), content("b"), failure("f"), content("early", "not registered")]
    with broken(postgres, how, name):
        for work in (
            lambda: impatient.provision.provision(arrivals),
            lambda: impatient.register.register([registration(1, "other")]),
            lambda: impatient.expire.run(lambda: True),
        ):
            with pytest.raises(ExternalServiceError, match="Postgres"):
                work()
    assert (len(world.snapshot().assigned), len(world.snapshot().all_failures)) == (1, 0)
    assert world.repository.find("not registered") is None
    assert world.repository.find("other") is None
    assert impatient.outcomes(arrivals) == {"duplicate": 1, "assigned": 1, "failed": 1, "parked": 1}
    assert impatient.register.register([registration(1, "other")]).answers == [Opened()]
    assert impatient.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.parametrize("statement", [1, 3, "commit"])
def test_a_server_that_answers_nothing_is_waited_for_once(
    world: World, impatient: World, postgres: PostgresServer, statement: int | str
) -> None:
    world.register.register([registration(1)])
    attempts: list[object] = []
    event.listen(impatient.engine, "do_connect", lambda *_: attempts.append(_))
    if isinstance(statement, int):
        at_statement(impatient, statement, postgres.freeze)
    else:
        at_commit(impatient, postgres.freeze)
    try:
        with pytest.raises(ExternalServiceError, match=r"TimeoutError|OSError"):
            impatient.provision.provision([content("a")])
    finally:
        postgres.thaw()
    assert len(attempts) == 1
    assert sum(impatient.outcomes([content("a")]).values()) == 1
    assert len(world.snapshot().assigned) == 1
    world.relay.run(lambda: True)
    assert world.bus.kinds() + impatient.bus.kinds() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.parametrize("statement", range(1, STATEMENTS + 1))
def test_a_connection_cut_before_any_statement_fails_no_invocation(
    world: World, postgres: PostgresServer, name: str, statement: int
) -> None:
    world.register.register([registration(2)])
    at_statement(world, statement, lambda: cut(postgres, name))
    assert world.outcomes([content("a"), failure("f")]) == {"assigned": 1, "failed": 1}
    world.relay.run(lambda: True)
    assert world.bus.kinds() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.fault(2)
def test_a_commit_whose_answer_is_lost_is_done_once_and_announced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.register.register([registration(2)])
    commit = world.engine.dialect.do_commit

    def commit_and_lose_the_answer(connection: PoolProxiedConnection) -> None:
        monkeypatch.undo()
        commit(connection)
        raise InterfaceError("network error")

    monkeypatch.setattr(world.engine.dialect, "do_commit", commit_and_lose_the_answer)
    assert world.outcomes([content("a"), failure("f")]) == {"duplicate": 2}
    assert (len(world.snapshot().assigned), len(world.snapshot().slot_failures)) == (1, 1)
    world.relay.run(lambda: True)
    assert world.bus.kinds() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.fault(6)
@pytest.mark.parametrize("statement", [1, 2, 3, 4, 5])
def test_a_registration_that_crashes_leaves_nothing_and_the_same_again_repairs(
    world: World, postgres: PostgresServer, name: str, statement: int
) -> None:
    world.provision.provision([content("early")])
    crashing = World(world.database_url, world.redis_url)
    at_statement(crashing, statement, lambda: cut(postgres, name), always=True)
    with pytest.raises(FaultError):
        crashing.register.register([registration(2)])
    crashing.close()
    assert world.snapshot().batch.status == "awaited"
    assert world.register.register([registration(2)]).answers == [Opened()]
    assert (len(world.snapshot().assigned), len(world.snapshot().available)) == (1, 1)
