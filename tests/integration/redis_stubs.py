"""A server that gives the replies of a test in Redis's protocol, and an address that forwards to another."""

from __future__ import annotations

import socket
from contextlib import suppress
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from dev.programs.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable

# What a client sends before its first command, and the replies that it expects.
SETUP = {b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n", b"CLIENT": b"+OK\r\n", b"PING": b"+PONG\r\n"}
CHUNK = 65_536


class Reply(NamedTuple):
    """Bytes to answer, and whether the connection is closed after them."""

    data: bytes
    closes: bool = False


class Server(Lifecycle):
    """A TCP server on the loopback, with a thread per connection."""

    def __init__(self, handler: type[BaseRequestHandler]) -> None:
        self._server = ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        self.url = f"redis://127.0.0.1:{self.port}"

    def _open(self) -> None:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class RedisStub(Server):
    """Answers each command but those of the setup with `reply(command)`."""

    def __init__(self, reply: Callable[[list[bytes]], Reply]) -> None:
        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, ValueError):
                    while command := _command_from(self.rfile):
                        setup = SETUP.get(command[0].upper())
                        answer = reply(command) if setup is None else Reply(setup)
                        self.wfile.write(answer.data)
                        if answer.closes:
                            return

        super().__init__(Handler)


class Forwarder(Server):
    """One address behind which the server may change: connections that are open stay where they are."""

    def __init__(self, port: int) -> None:
        self.target = port
        forwarder = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", forwarder.target)) as target:
                    Thread(target=_copy, args=(target, self.request), daemon=True).start()
                    _copy(self.request, target)

        super().__init__(Handler)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _command_from(stream: Any) -> list[bytes]:
    """Read an array of bulk strings; nothing when the client has closed the connection."""
    head = stream.readline()
    return [_bulk_from(stream) for _ in range(int(head[1:]))] if head else []


def _bulk_from(stream: Any) -> bytes:
    text: bytes = stream.read(int(stream.readline()[1:]) + 2)
    return text[:-2]
