"""The coordinator under test, fake and real: what lies in its keys, and what can happen to them."""

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
    """A coordinator that a test can look into from outside."""

    @property
    def port(self) -> Coordinator:
        """Return the port."""
        ...

    @property
    def coordinator_inspector(self) -> CoordinatorInspector:
        """Return the same as the audit uses it."""
        ...

    def now(self) -> datetime:
        """Return the server's time."""
        ...

    def keys(self, batch_id: str) -> dict[str, float]:
        """Return the names of the keys that are there, with the moments at which they vanish."""
        ...

    def spoil(self, batch_id: str, name: str) -> None:
        """Put something of another type where a key belongs."""
        ...

    def lose(self, batch_id: str, name: str) -> None:
        """Lose one key."""
        ...

    def forget_scripts(self) -> None:
        """Lose what the server knows of scripts."""
        ...

    def go_down(self) -> Coordinator:
        """Return a coordinator that cannot be reached."""
        ...


class FakeCoordinatorUnderTest:
    """The fake one."""

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

    def forget_scripts(self) -> None:
        """Know no scripts to begin with."""

    def go_down(self) -> Coordinator:
        self.port.is_down = True
        return self.port


class RealCoordinatorUnderTest:
    """Valkey, alone or as a cluster."""

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

    def forget_scripts(self) -> None:
        self.client.script_flush()

    def go_down(self) -> Coordinator:
        return RedisCoordinator(connect("redis://127.0.0.1:1"), self._retention)
