"""The coordinator under test, fake and real, with access to its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from els_core.adapters.clock import SystemClock
from els_core.adapters.redis import keys
from els_core.adapters.redis.connection import connect
from els_core.adapters.redis.coordinator import RedisCoordinator
from tests.fakes.clock import FakeClock
from tests.fakes.coordinator import FakeCoordinator

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from redis import Redis
    from redis.cluster import RedisCluster

    from els_core.application.ports.coordinator import Coordinator, CoordinatorInspector


class CoordinatorUnderTest(Protocol):
    """A coordinator whose keys a test can read and damage."""

    @property
    def port(self) -> Coordinator:
        """Return the port under test."""
        ...

    @property
    def coordinator_inspector(self) -> CoordinatorInspector:
        """Return the same coordinator as the audit uses it."""
        ...

    def now(self) -> datetime:
        """Return the time of the server."""
        ...

    def keys(self, batch_id: str) -> dict[str, float]:
        """Return the names of the existing keys with the times at which they expire, in seconds."""
        ...

    def spoil(self, batch_id: str, name: str) -> None:
        """Replace a key by one of another type."""
        ...

    def lose(self, batch_id: str, name: str) -> None:
        """Delete one key."""
        ...

    def flush_scripts(self) -> None:
        """Empty the script cache of the server."""
        ...

    def go_down(self) -> Coordinator:
        """Return a coordinator whose server is unavailable."""
        ...


class FakeCoordinatorUnderTest:
    """The fake."""

    def __init__(self, retention: timedelta) -> None:
        self._clock = FakeClock()
        self.port = self.coordinator_inspector = FakeCoordinator(self._clock, retention=retention)

    def now(self) -> datetime:
        return self._clock.now()

    def keys(self, batch_id: str) -> dict[str, float]:
        return self.port.keys_of(batch_id).expiry_times(self._clock.now().timestamp())

    def spoil(self, batch_id: str, name: str) -> None:
        self.port.corrupt(batch_id, name)

    def lose(self, batch_id: str, name: str) -> None:
        self.port.delete_key(batch_id, name)

    def flush_scripts(self) -> None:
        """Do nothing: the fake has no scripts."""

    def go_down(self) -> Coordinator:
        self.port.is_down = True
        return self.port


class RedisCoordinatorUnderTest:
    """The real adapter on Valkey, as a single server or a cluster."""

    def __init__(self, url: str, retention: timedelta, *, cluster: bool) -> None:
        self._retention = retention
        self.client: Redis | RedisCluster = connect(url, cluster=cluster)
        self.client.flushall()
        self.port = self.coordinator_inspector = RedisCoordinator(self.client, retention)

    def close(self) -> None:
        self.client.close()

    def now(self) -> datetime:
        return SystemClock().now()

    def keys(self, batch_id: str) -> dict[str, float]:
        expiries = {name: self.client.expiretime(keys.key(batch_id, name)) for name in keys.ALL}
        missing = -2
        return {name: float(expiry) for name, expiry in expiries.items() if expiry != missing}

    def spoil(self, batch_id: str, name: str) -> None:
        self.lose(batch_id, name)
        self.client.lpush(keys.key(batch_id, name), "nonsense")

    def lose(self, batch_id: str, name: str) -> None:
        self.client.delete(keys.key(batch_id, name))

    def flush_scripts(self) -> None:
        self.client.script_flush()

    def go_down(self) -> Coordinator:
        return RedisCoordinator(connect("redis://127.0.0.1:1"), self._retention)
