"""What an invocation costs in round trips and statements: exact numbers, for any records and any batch."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from redis.connection import Connection as RedisConnection
from sqlalchemy import event

from els_core.adapters.postgres.driver import OneTripConnection
from tests.factories import content, registration
from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival

# What provisioning of open batches sends in its transaction: insert placeholders, lock, read the locked view,
# record the decisions, insert into the outbox. After the commit it deletes from the outbox.
PROVISION = ["INSERT INTO batches", "SELECT batch_id, status", "WITH arrivals", "WITH slots", "WITH messages"]
DELETE = "DELETE FROM outbox"


@dataclass
class Traffic:
    """What was sent: statements in order, and what made the other side answer."""

    statements: list[str] = field(default_factory=list)
    postgres_trips: int = 0
    redis_trips: int = 0

    def kinds(self) -> list[str]:
        """Return the first words of the statements."""
        return [" ".join(sql.split())[:60] for sql in self.statements]


@pytest.fixture
def world(database_url: str, valkey: ValkeyServer) -> Iterator[World]:
    world = World(database_url, valkey.url)
    world.provision.provision([content("warm", "warm")])
    yield world
    world.close()


@contextmanager
def watched(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """Count at the drivers: answers awaited from Postgres, packets of commands sent to Redis."""
    traffic = Traffic()
    await_answer = OneTripConnection.handle_messages
    send: Any = RedisConnection.send_packed_command

    def answer(connection: OneTripConnection, context: Any) -> None:
        traffic.postgres_trips += 1
        await_answer(connection, context)

    def packed(connection: RedisConnection, *arguments: Any, **more: Any) -> None:
        traffic.redis_trips += 1
        send(connection, *arguments, **more)

    def statement(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        traffic.statements.append(sql)

    with monkeypatch.context() as patch:
        patch.setattr(OneTripConnection, "handle_messages", answer)
        patch.setattr(RedisConnection, "send_packed_command", packed)
        event.listen(world.engine, "before_cursor_execute", statement)
        yield traffic
        event.remove(world.engine, "before_cursor_execute", statement)


def in_order(traffic: Traffic, starts: list[str]) -> bool:
    kinds = traffic.kinds()
    return len(kinds) == len(starts) and all(map(str.startswith, kinds, starts))


@pytest.mark.parametrize("records", [1, 10, 100, 1_000])
@pytest.mark.parametrize("batches", [1, 10])
def test_provisioning_costs_the_same_for_any_number_of_records(
    world: World, monkeypatch: pytest.MonkeyPatch, records: int, batches: int
) -> None:
    world.register.register([registration(1_001, f"b{n}") for n in range(batches)])
    arrivals: list[Arrival] = [content(f"c{n}", f"b{n % batches}") for n in range(records)]
    with watched(world, monkeypatch) as traffic:
        world.provision.provision(arrivals)
    assert in_order(traffic, [*PROVISION, DELETE]), traffic.kinds()
    assert traffic.postgres_trips == 8  # these six, BEGIN and COMMIT
    assert traffic.redis_trips == 1


@pytest.mark.parametrize("slots", [10, 2_000])
def test_closing_a_batch_costs_the_same_whatever_its_size(
    world: World, monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    world.register.register([registration(slots)])
    world.provision.provision([content(f"c{n}") for n in range(slots - 1)])
    with watched(world, monkeypatch) as traffic:
        world.provision.provision([content("last")])
    assert in_order(traffic, [*PROVISION[:4], "SELECT batch_id, status", PROVISION[4], DELETE]), (
        traffic.kinds()
    )
    assert (traffic.postgres_trips, traffic.redis_trips) == (9, 2)  # a snapshot more, which refreshes Redis


@pytest.mark.parametrize(("batches", "slots"), [(1, 10), (1, 2_000), (10, 10), (100, 10)])
def test_registering_costs_the_same_for_any_number_and_size_of_batches(
    world: World, monkeypatch: pytest.MonkeyPatch, batches: int, slots: int
) -> None:
    registrations = [registration(slots, f"b{n}") for n in range(batches)]
    with watched(world, monkeypatch) as traffic:
        world.register.register(registrations)
    # Placeholders, lock, open, parked arrivals, the time, and the snapshots for Redis.
    assert (len(traffic.statements), traffic.postgres_trips) == (6, 8), traffic.kinds()
    assert traffic.redis_trips == 1


@pytest.mark.parametrize("batches", [1, 10, 99])
def test_a_page_of_the_sweep_costs_the_same_for_any_number_of_batches(
    world: World, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    world.register.register([registration(3, f"b{n}") for n in range(batches)])
    sql = "UPDATE batches SET deadline = clock_timestamp() WHERE status = 'open'"
    postgres.execute(sql, database=str(world.engine.url.database))
    with watched(world, monkeypatch) as traffic:
        assert len(world.expire.run(lambda: True).closed) == batches
    # Lock, time, record, snapshots, outbox and the deletion from it; four for the batch that waits for its
    # registration, and one that deletes old batches. Two transactions have a BEGIN and a COMMIT each.
    assert (len(traffic.statements), traffic.postgres_trips) == (11, 15), traffic.kinds()
    assert traffic.redis_trips == 1
