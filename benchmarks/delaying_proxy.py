"""A proxy before each store, in a process of its own: it counts round trips and makes each one longer.

A trip begins with the first bytes that a connection sends after an answer: what travels together is one.
"""

from __future__ import annotations

import json
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerProcess, free_port
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 1 << 20
STORES = ("Postgres", "Redis", "bus")


class DelayingProxy(Lifecycle):
    """Starts and stops the proxy, and asks it for its counts; `ports` are those before each store."""

    def __init__(self, targets: Mapping[str, int], delay_seconds: float) -> None:
        self.ports = {store: free_port() for store in STORES}
        self._control = free_port()
        self._folder = TemporaryDirectory(prefix="els-proxy-")
        routes = [f"{self.ports[store]}:{targets[store]}" for store in STORES]
        command = [sys.executable, "-m", "benchmarks.delaying_proxy", str(self._control), str(delay_seconds)]
        environment = {"PYTHONPATH": str(ROOT)}
        log = Path(self._folder.name, "log")
        self._server = ServerProcess([*command, *routes], log, environment=environment)

    def _open(self) -> None:
        self._server.start(self._is_ready)

    def close(self) -> None:
        """Kill the proxy and remove its folder."""
        self._server.kill()
        self._folder.cleanup()

    def take_trips(self) -> dict[str, int]:
        """Return the trips to each store since the last call."""
        with socket.create_connection(("127.0.0.1", self._control), 10) as connection:
            counts: list[int] = json.loads(connection.makefile("rb").readline())
        return dict(zip(STORES, counts, strict=True))

    def _is_ready(self) -> bool:
        with suppress(OSError, ValueError):
            return bool(self.take_trips())
        return False


class Route:
    """One port, and the store behind it."""

    def __init__(self, port: int, target: int, delay: float) -> None:
        self.delay = delay
        self._target = target
        self._trips = 0
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        Thread(target=self._accept, daemon=True).start()

    def count(self) -> None:
        """Count a trip."""
        with self._lock:
            self._trips += 1

    def take(self) -> int:
        """Return the trips since the last call."""
        with self._lock:
            trips, self._trips = self._trips, 0
        return trips

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Conversation(self, client, server).start()


@dataclass
class Conversation:
    """One connection: what the client sends is delivered later, in its order; answers pass at once."""

    route: Route
    client: socket.socket
    server: socket.socket
    has_answered: bool = True

    def start(self) -> None:
        """Forward both directions until one end closes."""
        due: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        for work in (self._receive, self._deliver):
            Thread(target=work, args=(due,), daemon=True).start()
        Thread(target=self._answer, daemon=True).start()

    def _receive(self, due: SimpleQueue[tuple[float, bytes]]) -> None:
        data = b"-"
        while data:
            try:
                data = self.client.recv(CHUNK)
            except OSError:
                data = b""
            if data and self.has_answered:
                self.has_answered = False
                self.route.count()
            due.put((monotonic() + self.route.delay, data))

    def _deliver(self, due: SimpleQueue[tuple[float, bytes]]) -> None:
        pause = Event()
        with suppress(OSError):
            while True:
                time, data = due.get()
                if not data:
                    break
                if (wait := time - monotonic()) > 0:
                    pause.wait(wait)
                self.server.sendall(data)
        self._close()

    def _answer(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(CHUNK):
                self.has_answered = True
                self.client.sendall(data)
        self._close()

    def _close(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _main(control: int, delay: float, *pairs: str) -> None:
    routes = [Route(int(port), int(target), delay) for port, target in (pair.split(":") for pair in pairs)]
    listener = socket.create_server(("127.0.0.1", control))
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(json.dumps([route.take() for route in routes]).encode() + b"\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
