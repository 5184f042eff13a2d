"""What a batch costs in Redis: the bytes per slot are bounded, and every key expires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.redis.keys import ALL, TIMEOUT, key
from tests.factories import content, failure, registration
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.valkey import ValkeyServer

RETENTION_SECONDS = 90 * 86_400
MAX_BYTES_PER_SLOT = 128  # with ids of ten characters, as counted by MEMORY USAGE
MAX_BYTES_OF_A_CLOSED_BATCH = 256  # whatever its size


@pytest.fixture
def environment(database_url: str, valkey: ValkeyServer) -> Iterator[Environment]:
    environment = Environment(database_url, valkey.url)
    yield environment
    environment.close()


def bytes_of(client: Any) -> int:
    return sum(client.memory_usage(key("b", name), samples=0) or 0 for name in ALL)


@pytest.mark.parametrize("slots", [10, 2_000])
def test_a_slot_costs_a_bounded_number_of_bytes(
    environment: Environment, valkey: ValkeyServer, slots: int
) -> None:
    environment.register(registration(slots))
    with valkey.client() as client:
        free = bytes_of(client)
        environment.provision(*(content(f"c{n}") for n in range(slots // 2)))
        half = bytes_of(client)
        environment.provision(*(content(f"c{n}") for n in range(slots // 2, slots - 1)))
        full = bytes_of(client)
        environment.provision(content("last"))
        closed = bytes_of(client)
    assert max(free, half, full) <= MAX_BYTES_PER_SLOT * slots
    assert closed <= MAX_BYTES_OF_A_CLOSED_BATCH


def test_every_key_expires_after_the_deadline_plus_the_retention(
    environment: Environment, valkey: ValkeyServer
) -> None:
    environment.register(registration(4, timeout_seconds=3_600))
    environment.provision(content("a"), failure("f"))
    with valkey.client() as client:
        deadline = float(client.hget(key("b", "metadata"), "deadline"))
        expiries = {name: client.expiretime(key("b", name)) for name in ALL}
        assert set(client.keys("*")) == {key("b", name) for name in ALL}
        environment.provision(content("b"), content("c"))
        closed = {name: client.expiretime(name) for name in client.keys("*")}
    timeout = expiries.pop(TIMEOUT)
    assert deadline <= timeout <= deadline + 1
    assert set(expiries.values()) == {int(deadline + RETENTION_SECONDS)}
    assert closed == {key("b", "metadata"): int(deadline + RETENTION_SECONDS)}
