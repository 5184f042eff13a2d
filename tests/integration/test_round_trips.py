"""What an invocation costs: exact numbers of round trips and statements, whatever the number of messages."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from redis.connection import Connection as RedisConnection

from tests.factories import content, registration
from tests.integration.postgres_proxy import ProxiedEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival

# The statements of provisioning for open batches: insert placeholders, lock, read, record and enqueue in one
# transaction, and after its commit the deletion from the outbox.
PROVISION = [
    "INSERT INTO batches",
    "SELECT batch_id, status",
    "WITH RECURSIVE given",
    "WITH slots",
    "WITH messages",
]
DELETE_SENT = "WITH sent AS ( DELETE FROM outbox"


@dataclass
class Traffic:
    """The statements in their order, and the round trips to each store."""

    statements: list[str] = field(default_factory=list)
    postgres_trips: int = 0
    redis_trips: int = 0

    def beginnings(self) -> list[str]:
        """Return the beginning of each statement."""
        return [" ".join(sql.split())[:60] for sql in self.statements]


@pytest.fixture
def environment(database_url: str, valkey: ValkeyServer) -> Iterator[ProxiedEnvironment]:
    environment = ProxiedEnvironment(database_url, valkey.url)
    environment.provision(content("warm-up", "warm-up"))
    yield environment
    environment.close()


@contextmanager
def count_traffic(environment: ProxiedEnvironment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """Count on the way to Postgres, where each Sync is awaited, and packets of commands sent to Redis."""
    traffic = Traffic()
    send: Any = RedisConnection.send_packed_command

    def packed(connection: RedisConnection, *arguments: Any, **more: Any) -> None:
        traffic.redis_trips += 1
        send(connection, *arguments, **more)

    proxy = environment.proxy
    before, trips = len(proxy.statements), proxy.trips
    with monkeypatch.context() as patch:
        patch.setattr(RedisConnection, "send_packed_command", packed)
        yield traffic
    traffic.statements = proxy.statements[before:]
    traffic.postgres_trips = proxy.trips - trips


def in_order(traffic: Traffic, starts: list[str]) -> bool:
    beginnings = traffic.beginnings()
    return len(beginnings) == len(starts) and all(map(str.startswith, beginnings, starts))


@pytest.mark.fault(13)
@pytest.mark.parametrize("records", [1, 10, 100, 1_000])
@pytest.mark.parametrize("batches", [1, 10])
def test_provisioning_costs_the_same_for_any_number_of_records(
    environment: ProxiedEnvironment, monkeypatch: pytest.MonkeyPatch, records: int, batches: int
) -> None:
    environment.register(*(registration(1_001, f"b{n}") for n in range(batches)))
    arrivals: list[Arrival] = [content(f"c{n}", f"b{n % batches}") for n in range(records)]
    with count_traffic(environment, monkeypatch) as traffic:
        environment.provision(*arrivals)
    assert in_order(traffic, [*PROVISION, DELETE_SENT]), traffic.beginnings()
    # BEGIN to the reading; record, enqueue and COMMIT; the deletion.
    assert traffic.postgres_trips == 3
    assert traffic.redis_trips == 1


@pytest.mark.fault(13)
@pytest.mark.parametrize("slots", [10, 2_000])
def test_closing_a_batch_costs_the_same_for_any_size(
    environment: ProxiedEnvironment, monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    environment.register(registration(slots))
    environment.provision(*(content(f"c{n}") for n in range(slots - 1)))
    with count_traffic(environment, monkeypatch) as traffic:
        environment.provision(content("last"))
    assert in_order(traffic, [*PROVISION[:4], "SELECT batch_id, status", PROVISION[4], DELETE_SENT]), (
        traffic.beginnings()
    )
    # One more, for the snapshot that the final result is made from; then Redis is refreshed.
    assert (traffic.postgres_trips, traffic.redis_trips) == (4, 2)


@pytest.mark.fault(13)
@pytest.mark.parametrize(("batches", "slots"), [(1, 10), (1, 2_000), (10, 10), (100, 10)])
def test_registering_costs_the_same_for_any_number_and_size_of_batches(
    environment: ProxiedEnvironment, monkeypatch: pytest.MonkeyPatch, batches: int, slots: int
) -> None:
    registrations = [registration(slots, f"b{n}") for n in range(batches)]
    with count_traffic(environment, monkeypatch) as traffic:
        environment.register(*registrations)
    # Placeholders, locks, opening, parked arrivals, the time, and the snapshots for Redis.
    assert (len(traffic.statements), traffic.postgres_trips) == (6, 6), traffic.beginnings()
    assert traffic.redis_trips == 1


@pytest.mark.fault(13)
@pytest.mark.parametrize("batches", [1, 10, 99])
def test_a_page_of_the_sweep_costs_the_same_for_any_number_of_batches(
    environment: ProxiedEnvironment, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    environment.register(*(registration(3, f"b{n}") for n in range(batches)))
    sql = "UPDATE batches SET deadline = clock_timestamp() WHERE status = 'open'"
    postgres.execute(sql, database=str(environment.engine.url.database))
    with count_traffic(environment, monkeypatch) as traffic:
        assert len(environment.expire().closed) == batches
    # The page: lock, time, record, snapshots, outbox and the deletion from it. Four for the awaited batch of
    # the warm-up, and one for the purge. Then the next pages, which find nothing: two and two. Last, the note
    # that the sweep ran. BEGIN and COMMIT travel with these, and some of them together.
    assert (len(traffic.statements), traffic.postgres_trips) == (16, 17), traffic.beginnings()
    assert traffic.redis_trips == 1
