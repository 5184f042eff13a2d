"""One copy of the functions on real stores; its books are balanced when a test ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.environment import World
from tests.integration.reconciliation import balance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.valkey import ValkeyServer


@pytest.fixture
def world(database_url: str, valkey: ValkeyServer) -> Iterator[World]:
    world = World(database_url, valkey.url)
    yield world
    balance(world.engine)
    world.close()
