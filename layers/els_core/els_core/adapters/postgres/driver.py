"""pg8000 with one round trip per statement instead of three, and with Nagle's algorithm off."""

from __future__ import annotations

import socket
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pg8000
from pg8000.converters import make_params
from pg8000.core import NULL_BYTE, SYNC_MSG, Context
from pg8000.dbapi import Connection
from pg8000.exceptions import InterfaceError

TIMESTAMPTZ = 1184  # its OID in pg_type


class OneTripConnection(Connection):
    """Sends a statement, its parameters and its execution together; leaves nothing prepared in the session.

    pg8000 waits for an answer after Parse, after Describe and after Execute. Postgres answers all three in
    order, and after an error it skips to the Sync at the end, so that waiting once is enough.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
    """

    def __init__(self, **parameters: Any) -> None:
        if not parameters.get("unix_sock"):
            address = parameters.get("host", "localhost"), parameters.get("port", 5432)
            parameters["sock"] = dial(*address, parameters.get("timeout"))
        super().__init__(**parameters)
        # Faster than pg8000's own, which parses with a regular expression.
        self.register_in_adapter(TIMESTAMPTZ, datetime.fromisoformat)

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Context:
        """Execute one statement; raise the driver's error when Postgres rejects it."""
        context = Context(statement, stream=stream)
        self.send_PARSE(NULL_BYTE, statement, oids)
        self.send_BIND(NULL_BYTE, make_params(self.py_types, vals))
        self.send_DESCRIBE_STATEMENT(NULL_BYTE)
        self.send_EXECUTE()
        self._send(SYNC_MSG)
        self.handle_messages(context)
        return context

    def _send(self, last: bytes) -> None:
        try:
            self._sock.write(last)
            self._sock.flush()
        except OSError as error:
            raise InterfaceError("network error") from error


def dial(host: str, port: int, timeout: float | None = None) -> socket.socket:
    """Return a connected socket that sends without delay; raise the driver's error when there is none.

    The driver writes a large statement in pieces. With Nagle's algorithm the last piece waits for the
    server's delayed acknowledgement, 40 ms per statement.
    """
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        raise InterfaceError(f"cannot connect to {host}:{port}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


# The module that SQLAlchemy takes as the driver: pg8000 with this connection class.
DRIVER = SimpleNamespace(**vars(pg8000) | {"connect": OneTripConnection})
