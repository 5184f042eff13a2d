"""One copy of the functions on real stores; its books are balanced when a test ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.books import balance
from tests.integration.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.valkey import ValkeyServer


@pytest.fixture
def world(database_url: str, valkey: ValkeyServer) -> Iterator[World]:
    world = World(database_url, valkey.url)
    yield world
    balance(world.engine)
    world.close()
