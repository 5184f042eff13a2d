"""The coordinator in two shapes, each with what can happen to it: alone with a replica, and a cluster."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self

from redis.exceptions import RedisError

from dev.chaos.faults import Fault
from dev.servers.valkey import ValkeyCluster, ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Sequence

FROZEN_SECONDS = 15.0  # longer than the functions may run
DOWN_SECONDS = 3.0
LAG_SECONDS = 3.0


class Store(Protocol):
    """A Valkey that the functions use, and the ways in which it fails."""

    url: str
    is_cluster: bool

    def __enter__(self) -> Self:
        """Start it."""

    def __exit__(self, *_: object) -> None:
        """End it."""

    def faults(self) -> Sequence[Fault]:
        """Return what can happen to it."""


class Alone:
    """A primary with a replica, behind one address."""

    is_cluster = False

    def __init__(self) -> None:
        self._primary = ValkeyServer()
        self._replica = ValkeyServer()
        self._aged = b""
        self._address = self._primary.port
        self.url = self._primary.url

    def __enter__(self) -> Self:
        try:
            self._primary.start()
            self._new_replica()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._primary.__exit__()
        self._replica.__exit__()

    def faults(self) -> Sequence[Fault]:
        """Return what can happen to a server and its replica."""
        return (
            Fault("Valkey: FLUSHALL", self._flush, _nothing, 1),
            Fault("Valkey: scripts lost", self._forget_scripts, _nothing, 1),
            Fault("Valkey: restarted empty", self._stop, self._start_empty, DOWN_SECONDS),
            Fault("Valkey: restarted from an old snapshot", self._age, self._start_aged, LAG_SECONDS),
            Fault("Valkey: failed over to a lagging replica", self._lag, self._fail_over, LAG_SECONDS),
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

    def _forget_scripts(self) -> None:
        with self._primary.client() as client:
            client.script_flush()

    def _stop(self) -> None:
        self._primary.stop()

    def _freeze(self) -> None:
        self._primary.freeze()

    def _thaw(self) -> None:
        self._primary.thaw()

    def _start_empty(self) -> None:
        self._primary.start()

    def _age(self) -> None:
        """Take the snapshot to which the server will go back."""
        self._aged = self._primary.snapshot()

    def _start_aged(self) -> None:
        self._primary.restore(self._aged)

    def _lag(self) -> None:
        """Let the replica fall behind."""
        self._replica.freeze()

    def _fail_over(self) -> None:
        """Lose the primary with all that the replica has not seen."""
        self._primary.stop()
        self._replica.thaw()
        self._replica.take_over(self._address)
        self._primary.__exit__()
        self._primary = self._replica
        self._new_replica()

    def _new_replica(self) -> None:
        self._replica = ValkeyServer()
        self._replica.start()
        self._replica.follow(self._primary)


class Clustered:
    """Three primaries that share the slots."""

    is_cluster = True

    def __init__(self) -> None:
        self._cluster = ValkeyCluster()
        self.url = self._cluster.url

    def __enter__(self) -> Self:
        self._cluster.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.__exit__()

    def faults(self) -> Sequence[Fault]:
        """Return what can happen to a cluster."""
        first, second, third = self._cluster.nodes
        return (
            Fault("Valkey cluster: FLUSHALL on every node", self._flush, _nothing, 1),
            Fault("Valkey cluster: one node lost, back empty", second.stop, second.start, FROZEN_SECONDS),
            Fault("Valkey cluster: the first node lost, back empty", first.stop, first.start, DOWN_SECONDS),
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


def _nothing() -> None:
    """Mend nothing: the fault is over at once."""
