"""Whatever Redis loses or answers, every outcome is right, and the next event installs the batch again."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from els_core.adapters.redis import connection as redis_connection
from els_core.adapters.redis import keys
from els_core.adapters.redis.keys import key
from els_core.application.publish_outbox import RelayResult
from els_core.application.register_batch import Opened
from els_core.bootstrap import Container
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError
from els_core.settings import read_settings
from tests.factories import content, failure, registration
from tests.integration.environment import RETENTION, Environment
from tests.integration.postgres_proxy import ProxiedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival


def redis_is_current(environment: Environment, batch_id: str = "b") -> bool:
    """Tell whether Redis knows the batch as Postgres has it."""
    snapshot = environment.snapshot(batch_id)
    return (
        tuple(environment.coordinator.get_missing_slots(batch_id)) == snapshot.available
        and tuple(environment.coordinator.get_assigned_essays(batch_id)) == snapshot.assigned
        and environment.coordinator.get_assigned_count(batch_id) == len(snapshot.assigned)
    )


@contextmanager
def broken(valkey: ValkeyServer, how: str) -> Iterator[None]:
    """Break Redis for the length of the block."""
    with valkey.client() as client:
        ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "stopped": (valkey.stop, valkey.start),
            "frozen": (valkey.freeze, valkey.thaw),
            "a replica": (
                lambda: client.replicaof("127.0.0.1", "1"),
                lambda: client.replicaof("NO", "ONE"),
            ),
        }
        break_it, repair_it = ways[how]
        break_it()
        try:
            yield
        finally:
            repair_it()


def test_an_unavailable_cluster_stops_only_what_needs_redis(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    nowhere = {"ELS_REDIS_URL": "redis://127.0.0.1:1", "ELS_REDIS_CLUSTER": "true"}
    container = Container(
        read_settings({"ELS_DATABASE_URL": database_url, "ELS_EVENT_BUS": "default", **nowhere})
    )
    with mock_aws(), closing(container):
        assert container.publish_outbox().run(lambda: True) == RelayResult(sent=0, unsent=0)
        assert container.expire_batches().run(lambda: True).closed == []
        with pytest.raises(ExternalServiceError, match="Redis"):
            container.coordinator.get_assigned_count("b")


@pytest.mark.fault(21)
@pytest.mark.parametrize("how", ["stopped", "frozen", "a replica"])
def test_nothing_is_decided_while_redis_is_down_and_everything_succeeds_afterwards(
    environment: Environment, valkey: ValkeyServer, how: str
) -> None:
    environment.register(registration(3))
    environment.provision(content("a"))
    arrivals: list[Arrival] = [content("a"), content("b"), failure("f"), content("early", "not registered")]
    with broken(valkey, how), pytest.raises(ExternalServiceError, match="Redis"):
        environment.provision(*arrivals)
    assert (len(environment.snapshot().assigned), len(environment.snapshot().slot_failures)) == (1, 0)
    assert environment.repository.snapshots(["not registered"]) == []
    assert environment.outcomes(*arrivals) == {"duplicate": 1, "assigned": 1, "failed": 1, "parked": 1}
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.fault(21)
@pytest.mark.parametrize("how", ["stopped", "frozen", "a replica"])
def test_a_registration_stands_without_redis_and_the_next_arrival_installs_it(
    environment: Environment, valkey: ValkeyServer, how: str
) -> None:
    with broken(valkey, how):
        registered = environment.register(registration(2))
    assert registered.answers == [Opened()]
    assert [fault.service for fault in registered.published[0].faults] == ["Redis"]
    assert environment.outcomes(content("a")) == {"assigned": 1}
    assert redis_is_current(environment)


@pytest.mark.fault(21)
def test_a_hanging_redis_is_connected_to_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_connection, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = Environment(database_url, f"redis://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ExternalServiceError, match="TimeoutError"):
            hanging.provision(content("a"))
        hanging.close()
        assert len(accepted_clients(silent)) == 1


def accepted_clients(server: socket.socket) -> list[str]:
    """Return the addresses of the clients that have connected so far."""
    server.settimeout(0)
    peers = []
    with suppress(BlockingIOError):
        while True:
            connection, peer = server.accept()
            connection.close()
            peers.append(str(peer))
    return peers


@pytest.mark.fault(21)
def test_a_redis_out_of_memory_fails_no_invocation(environment: Environment, valkey: ValkeyServer) -> None:
    environment.register(registration(2))
    with valkey.client() as client:
        client.config_set("maxmemory", 1)
        try:
            assert environment.outcomes(content("a"), failure("f")) == {"assigned": 1, "failed": 1}
        finally:
            client.config_set("maxmemory", 0)


@pytest.mark.fault(21)
def test_losing_redis_after_the_commit_delays_no_event(database_url: str, valkey: ValkeyServer) -> None:
    environment = ProxiedEnvironment(database_url, valkey.url)
    environment.register(registration(1))
    environment.proxy.before_next_commit(valkey.freeze)
    try:
        decided = environment.provision(content("a"))
    finally:
        valkey.thaw()
    assert [fault.service for fault in decided.published[0].faults] == ["Redis"]
    assert environment.bus.event_counts() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}
    assert environment.outcomes(content("a"), content("b")) == {"duplicate": 1, "excess": 1}
    environment.close()


@pytest.mark.fault(3)
@pytest.mark.fault(18)
@pytest.mark.parametrize("lost", ["everything", "the keys, one by one", "an old snapshot was restored"])
def test_data_lost_by_redis_in_mid_batch_is_rebuilt_and_no_slot_is_used_twice(
    environment: Environment, valkey: ValkeyServer, lost: str
) -> None:
    environment.register(registration(12))
    environment.provision(content("c0"), failure("f0"))
    snapshot = valkey.snapshot()
    for number in range(1, 6):
        with valkey.client() as client:
            if lost == "everything":
                client.flushall()
            elif lost == "an old snapshot was restored":
                valkey.restore(snapshot)
            else:
                client.delete(key("b", keys.ALL[number - 1]))
        assert environment.outcomes(content(f"c{number}"), failure(f"f{number}")) == {
            "assigned": 1,
            "failed": 1,
        }
    snapshot_after = environment.snapshot()
    assert (len(snapshot_after.assigned), len(snapshot_after.slot_failures)) == (6, 6)
    assert snapshot_after.available == ()
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.fault(18)
def test_a_rebuild_offers_the_registered_slots_minus_assigned_minus_failed(
    environment: Environment, valkey: ValkeyServer
) -> None:
    environment.register(registration(9))
    environment.provision(*(content(f"c{n}") for n in range(3)), *(failure(f"f{n}") for n in range(2)))
    with valkey.client() as client:
        client.flushall()
    environment.provision(content("c9"))
    assert redis_is_current(environment)
    assert len(environment.coordinator.get_missing_slots("b")) == 9 - 4 - 2


@pytest.mark.fault(16)
@pytest.mark.parametrize("kind", ["string", "list", "hash", "set"])
@pytest.mark.parametrize("name", keys.ALL)
def test_a_key_of_the_wrong_type_is_rebuilt_from_postgres(
    environment: Environment, valkey: ValkeyServer, name: str, kind: str
) -> None:
    environment.register(registration(3))
    environment.provision(content("a"))
    with valkey.client() as client:
        client.delete(key("b", name))
        match kind:
            case "string":
                client.set(key("b", name), "QUEUED")
            case "list":
                client.rpush(key("b", name), "QUEUED")
            case "hash":
                client.hset(key("b", name), "a", "QUEUED")
            case _:
                client.sadd(key("b", name), "QUEUED")
    assert environment.outcomes(content("a"), content("b"), failure("f")) == {
        "duplicate": 1,
        "assigned": 1,
        "failed": 1,
    }
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1
    with valkey.client() as client:
        assert client.keys("*") == [key("b", keys.METADATA)]


@pytest.mark.fault(17)
def test_scripts_flushed_before_every_call_are_loaded_again(
    environment: Environment, valkey: ValkeyServer
) -> None:
    with valkey.client() as client:
        client.script_flush()
        environment.register(registration(3))
        for arrival in (content("a"), failure("f"), content("b")):
            client.script_flush()
            assert environment.coordinator.get_missing_slots("b") == list(environment.snapshot().available)
            assert sum(environment.outcomes(arrival).values()) == 1
    assert environment.snapshot().batch.status is Status.READY


@pytest.mark.fault(10)
def test_every_key_expires_and_a_closed_batch_keeps_only_its_metadata(
    environment: Environment, valkey: ValkeyServer
) -> None:
    environment.register(registration(2, timeout_seconds=60), registration(1, "closed"))
    environment.provision(content("a"), failure("f"), content("a", "closed"))
    environment.register(registration(3, "again"))
    environment.provision(content("a", "again"), failure("f", "again"))
    with valkey.client() as client:
        held = {name: client.ttl(name) for name in client.keys("*")}
    assert {name for name in held if "closed" in name} == {key("closed", keys.METADATA)}
    assert set(held) >= {key("again", name) for name in keys.ALL}
    assert all(0 < left <= RETENTION.total_seconds() + 3_601 for left in held.values())
