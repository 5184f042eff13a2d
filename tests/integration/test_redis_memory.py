"""What a batch costs in Redis: bytes per slot are bounded, and every key has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.redis.keys import ALL, TIMEOUT, key
from tests.factories import content, failure, registration
from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.valkey import ValkeyServer

RETENTION_SECONDS = 90 * 86_400
MOST_BYTES = 128  # per slot, with ids of ten characters, as Valkey itself counts them
CLOSED_BYTES = 256  # of a batch that has its final result, whatever its size


@pytest.fixture
def world(database_url: str, valkey: ValkeyServer) -> Iterator[World]:
    world = World(database_url, valkey.url)
    yield world
    world.close()


def bytes_of(client: Any) -> int:
    return sum(client.memory_usage(key("b", name), samples=0) or 0 for name in ALL)


@pytest.mark.parametrize("slots", [10, 2_000])
def test_a_slot_costs_a_bounded_number_of_bytes(world: World, valkey: ValkeyServer, slots: int) -> None:
    world.register.register([registration(slots)])
    with valkey.client() as client:
        free = bytes_of(client)
        world.provision.provision([content(f"c{n}") for n in range(slots // 2)])
        half = bytes_of(client)
        world.provision.provision([content(f"c{n}") for n in range(slots // 2, slots - 1)])
        full = bytes_of(client)
        world.provision.provision([content("last")])
        closed = bytes_of(client)
    assert max(free, half, full) <= MOST_BYTES * slots
    assert closed <= CLOSED_BYTES


def test_every_key_ends_after_the_deadline_and_the_retention(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(4, timeout_seconds=3_600)])
    world.provision.provision([content("a"), failure("f")])
    with valkey.client() as client:
        deadline = float(client.hget(key("b", "metadata"), "deadline"))
        ends = {name: client.expiretime(key("b", name)) for name in ALL}
        assert set(client.keys("*")) == {key("b", name) for name in ALL}
        world.provision.provision([content("b"), content("c")])
        closed = {name: client.expiretime(name) for name in client.keys("*")}
    timeout = ends.pop(TIMEOUT)
    assert deadline <= timeout <= deadline + 1
    assert set(ends.values()) == {int(deadline + RETENTION_SECONDS)}
    assert closed == {key("b", "metadata"): int(deadline + RETENTION_SECONDS)}
