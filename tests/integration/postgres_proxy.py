"""A proxy between the service and Postgres that sees every statement.

Nothing of the service is hooked, so faults stay provable whatever the adapter does. Statements that travel
together are held back one by one: what a test does before a statement happens when all before it have run.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import IO, TYPE_CHECKING

from sqlalchemy.engine import make_url

from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = struct.Struct("!ci")
LENGTH = struct.Struct("!i")
SSL_REQUEST = LENGTH.pack(80877103)
FLUSH = HEADER.pack(b"H", 4)
DONE = frozenset({b"C", b"I"})  # a statement has run: CommandComplete, EmptyQueryResponse
CONTROL = ("begin", "commit", "rollback", "savepoint", "release")


class ConnectionEndedError(Exception):
    """One end closed the connection."""


@dataclass
class Hook:
    """What happens before a statement, given its SQL and its number; `act` runs in the proxy's thread."""

    applies: Callable[[str, int], bool]
    act: Callable[[Conversation], object]
    once: bool = True


class PostgresProxy:
    """Listens on a port of 127.0.0.1 and forwards each connection to the Postgres of a URL."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = self._server.set(port=self._listener.getsockname()[1]).render_as_string(
            hide_password=False
        )
        self.hooks: list[Hook] = []
        self.statements: list[str] = []
        self.parsed: list[bytes] = []
        self.trips = 0
        self.connections = 0
        self._conversations: list[Conversation] = []
        Thread(target=self._accept, daemon=True).start()

    def before_statement(self, number: int, act: Callable[[], object], *, always: bool = False) -> None:
        """Act before the n-th statement from now that is no BEGIN, COMMIT or the like: once, or always."""
        target = len(self.statements) + number

        def applies(_: str, seen: int) -> bool:
            return seen == target or (always and seen > target)

        self.hooks.append(Hook(applies, lambda _: act(), once=not always))

    def before_sql(self, words: str, act: Callable[[], object]) -> None:
        """Act before the next statement that contains these words."""
        self.hooks.append(Hook(lambda sql, _: words in sql, lambda _: act()))

    def before_next_commit(self, act: Callable[[], object]) -> None:
        """Act before the next COMMIT, when everything is written."""
        self.hooks.append(Hook(lambda sql, _: sql.lower() == "commit", lambda _: act()))

    def lose_next_commit_answer(self) -> None:
        """Let the next COMMIT run, and cut the connection before its answer arrives."""
        self.hooks.append(Hook(lambda sql, _: sql.lower() == "commit", Conversation.cut_after_the_next))

    def close(self) -> None:
        """Close the port and all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        for conversation in self._conversations:
            conversation.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(
                        (str(self._server.host), int(self._server.port or 5432))
                    )
                except OSError:
                    client.close()  # Postgres is down
                else:
                    self._conversations.append(Conversation(self, client, server))


@dataclass
class Conversation:
    """One connection: two threads, one for each direction."""

    proxy: PostgresProxy
    client: socket.socket
    server: socket.socket
    _sql: dict[bytes, str] = field(default_factory=dict)
    _bound: str = ""
    _sent: int = 0
    _answered: int = 0
    _has_failed: bool = False
    _is_cut: bool = False
    _changed: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        for one in (self.client, self.server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for work in (self._forward, self._answer):
            Thread(target=self._run, args=(work,), daemon=True).start()

    def close(self) -> None:
        """Close both ends."""
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with self._changed:
            self._has_failed = True
            self._changed.notify_all()

    def cut_after_the_next(self) -> None:
        """Close the connection when the next statement has run, without its answer."""
        self._is_cut = True

    def _run(self, work: Callable[[], None]) -> None:
        with suppress(OSError, ConnectionEndedError):
            work()
        self.close()

    def _forward(self) -> None:
        """Forward what the client sends; the startup packet has no type, and TLS is declined."""
        stream = self.client.makefile("rb")
        while (startup := _startup_packet(stream))[4:] == SSL_REQUEST:
            self.client.sendall(b"N")
        self.server.sendall(startup)
        while True:
            header = _exactly(stream.read(HEADER.size), HEADER.size)
            kind, size = HEADER.unpack(header)
            body = _exactly(stream.read(size - 4), size - 4)
            match kind:
                case b"P":
                    name, sql, _ = body.split(b"\0", 2)
                    self._sql[name] = sql.decode()
                    self.proxy.parsed.append(name)
                case b"B":
                    self._bound = self._sql[body.split(b"\0", 2)[1]]
                case b"E":
                    self._hold(self._bound)
                case b"Q":
                    self._hold(body.rstrip(b"\0").decode())
                    self.proxy.trips += 1
                case b"S":
                    self.proxy.trips += 1
                case _:
                    pass
            self.server.sendall(header + body)

    def _hold(self, sql: str) -> None:
        """Hold a statement back while hooks act before it; what came before it has run by then."""
        if not sql.lower().startswith(CONTROL):
            self.proxy.statements.append(sql)
        number = 0 if sql.lower().startswith(CONTROL) else len(self.proxy.statements)
        due = [hook for hook in self.proxy.hooks if hook.applies(sql, number)]
        if due:
            self.server.sendall(FLUSH)
            with self._changed:
                self._changed.wait_for(lambda: self._has_failed or self._answered == self._sent)
        if not self._has_failed:
            for hook in due:
                if hook.once:
                    self.proxy.hooks.remove(hook)
                hook.act(self)
        self._sent += 1

    def _answer(self) -> None:
        """Forward what the server sends, and count the statements that have run."""
        stream = self.server.makefile("rb")
        while True:
            header = _exactly(stream.read(HEADER.size), HEADER.size)
            kind, size = HEADER.unpack(header)
            body = _exactly(stream.read(size - 4), size - 4)
            if self._is_cut and kind in DONE:
                return
            self.client.sendall(header + body)
            with self._changed:
                if kind in DONE:
                    self._answered += 1
                elif kind == b"E":
                    self._has_failed = True
                elif kind == b"Z":  # ready for the next: whatever was skipped is over
                    self._answered, self._has_failed = self._sent, False
                self._changed.notify_all()


class ProxiedEnvironment(Environment):
    """An environment whose connections to Postgres go through a proxy."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.proxy = PostgresProxy(database_url)
        super().__init__(self.proxy.url, redis_url)

    def close(self) -> None:
        super().close()
        self.proxy.close()


def _startup_packet(stream: IO[bytes]) -> bytes:
    length = _exactly(stream.read(4), 4)
    return length + stream.read(LENGTH.unpack(length)[0] - 4)


def _exactly(data: bytes, size: int) -> bytes:
    """Return the data; raise when the connection ended before them."""
    if len(data) < size:
        raise ConnectionEndedError
    return data
