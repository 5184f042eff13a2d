"""Whatever Redis does, forgets or takes back: nothing is wrong, and it knows the batch again afterwards."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

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
from tests.integration.environment import RETENTION, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival


def known(world: World, batch_id: str = "b") -> bool:
    """Tell whether Redis knows the batch as the record has it."""
    snapshot = world.snapshot(batch_id)
    return (
        tuple(world.coordinator.get_missing_slots(batch_id)) == snapshot.available
        and tuple(world.coordinator.get_assigned_essays(batch_id)) == snapshot.assigned
        and world.coordinator.get_assigned_count(batch_id) == len(snapshot.assigned)
    )


@contextmanager
def broken(valkey: ValkeyServer, how: str) -> Iterator[None]:
    """Break Redis, and mend it."""
    with valkey.client() as client:
        ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "stopped": (valkey.stop, valkey.start),
            "frozen": (valkey.freeze, valkey.thaw),
            "a replica": (
                lambda: client.replicaof("127.0.0.1", "1"),
                lambda: client.replicaof("NO", "ONE"),
            ),
        }
        breaks, mends = ways[how]
        breaks()
        try:
            yield
        finally:
            mends()


def test_a_cluster_that_is_down_stops_only_what_needs_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    nowhere = {"ELS_REDIS_URL": "redis://127.0.0.1:1", "ELS_REDIS_CLUSTER": "true"}
    container = Container(read_settings({"ELS_DATABASE_URL": database_url, **nowhere}))
    with closing(container):
        assert container.publish_outbox().run(lambda: True) == RelayResult(sent=0, unsent=0)
        assert container.expire_batches().run(lambda: True).closed == []
        with pytest.raises(ExternalServiceError, match="Redis"):
            container.coordinator.get_assigned_count("b")


@pytest.mark.fault(21)
@pytest.mark.parametrize("how", ["stopped", "frozen", "a replica"])
def test_all_comes_back_and_is_done_when_redis_is_back(world: World, valkey: ValkeyServer, how: str) -> None:
    world.register.register([registration(3)])
    world.provision.provision([content("a")])
    arrivals: list[Arrival] = [content("a"), content("b"), failure("f"), content("early", "not registered")]
    with broken(valkey, how), pytest.raises(ExternalServiceError, match="Redis"):
        world.provision.provision(arrivals)
    assert (len(world.snapshot().assigned), len(world.snapshot().all_failures)) == (1, 0)
    assert world.repository.find("not registered") is None
    assert world.outcomes(arrivals) == {"duplicate": 1, "assigned": 1, "failed": 1, "parked": 1}
    assert world.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.fault(21)
@pytest.mark.parametrize("how", ["stopped", "frozen", "a replica"])
def test_a_registration_that_redis_was_not_told_of_stands_and_is_learnt_later(
    world: World, valkey: ValkeyServer, how: str
) -> None:
    with broken(valkey, how):
        registered = world.register.register([registration(2)])
    assert registered.answers == [Opened()]
    assert [fault.service for fault in registered.published.faults] == ["Redis"]
    assert world.outcomes([content("a")]) == {"assigned": 1}
    assert known(world)


@pytest.mark.fault(21)
def test_a_server_that_answers_nothing_is_asked_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connection, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        copy = World(database_url, f"redis://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ExternalServiceError, match="TimeoutError"):
            copy.provision.provision([content("a")])
        copy.close()
        assert len(accepted(silent)) == 1


def accepted(server: socket.socket) -> list[str]:
    """Return who has connected so far."""
    server.settimeout(0)
    peers = []
    with suppress(BlockingIOError):
        while True:
            connection, peer = server.accept()
            connection.close()
            peers.append(str(peer))
    return peers


@pytest.mark.fault(21)
def test_a_redis_that_is_full_fails_no_invocation(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(2)])
    with valkey.client() as client:
        client.config_set("maxmemory", 1)
        try:
            assert world.outcomes([content("a"), failure("f")]) == {"assigned": 1, "failed": 1}
        finally:
            client.config_set("maxmemory", 0)


@pytest.mark.fault(21)
def test_a_redis_lost_after_the_commit_holds_up_no_event(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(1)])
    event.listen(world.engine, "commit", lambda _: valkey.freeze(), once=True)
    try:
        decided = world.provision.provision([content("a")])
    finally:
        valkey.thaw()
    assert [fault.service for fault in decided.published.faults] == ["Redis"]
    assert world.bus.kinds() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}
    assert world.outcomes([content("a"), content("b")]) == {"duplicate": 1, "excess": 1}


@pytest.mark.fault(3)
@pytest.mark.fault(18)
@pytest.mark.parametrize("lost", ["everything", "the keys, one by one", "an old snapshot came back"])
def test_what_redis_lost_in_mid_batch_is_rebuilt_and_no_slot_is_used_twice(
    world: World, valkey: ValkeyServer, lost: str
) -> None:
    world.register.register([registration(12)])
    world.provision.provision([content("c0"), failure("f0")])
    snapshot = valkey.snapshot()
    for number in range(1, 6):
        with valkey.client() as client:
            if lost == "everything":
                client.flushall()
            elif lost == "an old snapshot came back":
                valkey.restore(snapshot)
            else:
                client.delete(key("b", keys.ALL[number - 1]))
        assert world.outcomes([content(f"c{number}"), failure(f"f{number}")]) == {"assigned": 1, "failed": 1}
    assert (
        len(world.snapshot().assigned),
        len(world.snapshot().slot_failures),
        world.snapshot().available,
    ) == (
        6,
        6,
        (),
    )
    assert world.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.fault(18)
def test_a_rebuild_offers_registered_minus_assigned_minus_failed(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(9)])
    world.provision.provision([*(content(f"c{n}") for n in range(3)), *(failure(f"f{n}") for n in range(2))])
    with valkey.client() as client:
        client.flushall()
    world.provision.provision([content("c9")])
    assert known(world)
    assert len(world.coordinator.get_missing_slots("b")) == 9 - 4 - 2


@pytest.mark.fault(16)
@pytest.mark.parametrize("kind", ["string", "list", "hash", "set"])
@pytest.mark.parametrize("name", keys.ALL)
def test_a_key_of_another_type_is_replaced_by_what_is_true(
    world: World, valkey: ValkeyServer, name: str, kind: str
) -> None:
    world.register.register([registration(3)])
    world.provision.provision([content("a")])
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
    assert world.outcomes([content("a"), content("b"), failure("f")]) == {
        "duplicate": 1,
        "assigned": 1,
        "failed": 1,
    }
    assert world.bus.kinds()["BatchEssaysReady"] == 1
    with valkey.client() as client:
        assert client.keys("*") == [key("b", keys.METADATA)]


@pytest.mark.fault(17)
def test_scripts_that_are_forgotten_between_all_calls_are_sent_again(
    world: World, valkey: ValkeyServer
) -> None:
    with valkey.client() as client:
        client.script_flush()
        world.register.register([registration(3)])
        for arrival in (content("a"), failure("f"), content("b")):
            client.script_flush()
            assert world.coordinator.get_missing_slots("b") == list(world.snapshot().available)
            assert sum(world.outcomes([arrival]).values()) == 1
    assert world.snapshot().batch.status is Status.READY


@pytest.mark.fault(10)
def test_every_key_goes_by_itself_and_a_closed_batch_keeps_only_one(
    world: World, valkey: ValkeyServer
) -> None:
    world.register.register([registration(2, timeout_seconds=60), registration(1, "closed")])
    world.provision.provision([content("a"), failure("f"), content("a", "closed")])
    world.register.register([registration(3, "again")])
    world.provision.provision([content("a", "again"), failure("f", "again")])
    with valkey.client() as client:
        held = {name: client.ttl(name) for name in client.keys("*")}
    assert {name for name in held if "closed" in name} == {key("closed", keys.METADATA)}
    assert set(held) >= {key("again", name) for name in keys.ALL}
    assert all(0 < left <= RETENTION.total_seconds() + 3_601 for left in held.values())
