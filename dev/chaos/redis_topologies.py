"""The two ways to deploy Redis, with the faults of each: a primary with a replica, and a cluster."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from dev.chaos.faults import DOWN_SECONDS, FROZEN_SECONDS, INSTANT_SECONDS, Fault, nothing_to_end
from dev.programs.lifecycle import Lifecycle
from dev.servers.valkey import ValkeyCluster, ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Sequence

LAG_SECONDS = 3.0


class RedisTopology(Lifecycle):
    """The Valkey servers that the functions use, and their faults."""

    url: str
    is_cluster: bool

    @abstractmethod
    def faults(self) -> Sequence[Fault]:
        """Return the faults that can be injected."""


class PrimaryWithReplica(RedisTopology):
    """A primary and a replica behind one address, as a managed Redis without cluster mode."""

    is_cluster = False

    def __init__(self) -> None:
        self._primary = ValkeyServer()
        self._replica = ValkeyServer()
        self._old_snapshot = b""
        self._port = self._primary.port
        self.url = self._primary.url

    def _open(self) -> None:
        self._primary.open()
        self._start_replica()

    def close(self) -> None:
        """Kill both servers."""
        self._primary.close()
        self._replica.close()

    def faults(self) -> Sequence[Fault]:
        """Return the faults that can be injected."""
        return (
            Fault("Valkey: FLUSHALL", self._flush, nothing_to_end, INSTANT_SECONDS),
            Fault("Valkey: scripts lost", self._flush_scripts, nothing_to_end, INSTANT_SECONDS),
            Fault("Valkey: restarted empty", self._stop, self._start_empty, DOWN_SECONDS),
            Fault(
                "Valkey: restarted from an old snapshot",
                self._take_snapshot,
                self._restore_snapshot,
                LAG_SECONDS,
            ),
            Fault(
                "Valkey: failed over to a lagging replica",
                self._freeze_replica,
                self._fail_over,
                LAG_SECONDS,
            ),
            Fault(
                "Valkey: frozen longer than the timeout",
                self._freeze,
                self._thaw,
                FROZEN_SECONDS,
            ),
        )

    def _flush(self) -> None:
        with self._primary.client() as client:
            client.flushall()

    def _flush_scripts(self) -> None:
        with self._primary.client() as client:
            client.script_flush()

    def _stop(self) -> None:
        self._primary.stop()

    def _start_empty(self) -> None:
        self._primary.start()

    def _freeze(self) -> None:
        self._primary.freeze()

    def _thaw(self) -> None:
        self._primary.thaw()

    def _take_snapshot(self) -> None:
        self._old_snapshot = self._primary.snapshot()

    def _restore_snapshot(self) -> None:
        """Lose every write since the snapshot."""
        self._primary.restore(self._old_snapshot)

    def _freeze_replica(self) -> None:
        """Let the replica fall behind."""
        self._replica.freeze()

    def _fail_over(self) -> None:
        """Lose the primary, with every write that the replica has not received."""
        self._primary.stop()
        self._replica.thaw()
        self._replica.take_over(self._port)
        self._primary.close()
        self._primary = self._replica
        self._start_replica()

    def _start_replica(self) -> None:
        self._replica = ValkeyServer()
        self._replica.open()
        self._replica.follow(self._primary)


class Cluster(RedisTopology):
    """Three primaries that share the hash slots."""

    is_cluster = True

    def __init__(self) -> None:
        self._cluster = ValkeyCluster()
        self.url = self._cluster.url

    def _open(self) -> None:
        self._cluster.open()

    def close(self) -> None:
        """Kill every node."""
        self._cluster.close()

    def faults(self) -> Sequence[Fault]:
        """Return the faults that can be injected."""
        first, second, third = self._cluster.nodes
        return (
            Fault("Valkey cluster: FLUSHALL on every node", self._flush, nothing_to_end, INSTANT_SECONDS),
            Fault("Valkey cluster: one node restarted empty", second.stop, second.start, FROZEN_SECONDS),
            Fault("Valkey cluster: the first node restarted empty", first.stop, first.start, DOWN_SECONDS),
            Fault(
                "Valkey cluster: one node frozen longer than the timeout",
                third.freeze,
                third.thaw,
                FROZEN_SECONDS,
            ),
        )

    def _flush(self) -> None:
        for node in self._cluster.nodes:
            with suppress(RedisError), node.client() as client:
                client.flushall()
