"""The driver: statements that travel together under one Sync, each named once per connection; no Nagle.

pg8000 connects, authenticates and knows the types; it would parse, describe and execute in a round trip each.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime
from struct import Struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pg8000
from pg8000.converters import make_param, make_params, string_in
from pg8000.core import (
    BIND_COMPLETE,
    COMMAND_COMPLETE,
    DATA_ROW,
    ERROR_RESPONSE,
    EXECUTE_MSG,
    NO_DATA,
    NULL_BYTE,
    READY_FOR_QUERY,
    ROW_DESCRIPTION,
    SYNC_MSG,
    Context,
)
from pg8000.dbapi import Connection
from pg8000.exceptions import DatabaseError, InterfaceError
from pydantic_core import from_json

from els_core.adapters.postgres.calls import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.adapters.postgres.calls import Call

JSON, JSONB, TIMESTAMPTZ = 114, 3802, 1184  # their numbers in pg_type
BEGIN = "begin isolation level read committed"
HEADER = Struct("!ci")
LENGTH = Struct("!i")
COUNT = Struct("!H")
# Fields of an error that never repeat a value: severity, SQLSTATE, schema, table, column, type, constraint.
# https://www.postgresql.org/docs/current/protocol-error-fields.html
ERROR_FIELDS = frozenset("SVCstcdn")


@dataclass(frozen=True, slots=True)
class _Shape:
    """The columns of a statement's rows; None converts a text, which is one already."""

    columns: tuple[str, ...] = ()
    converters: tuple[Callable[[str], Any] | None, ...] = ()


class OneTripConnection(Connection):
    """Sends calls together and reads all their answers; after a failure Postgres skips to the Sync.

    Each call is bound and executed after the one before, so its snapshot is younger than what that one did.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
    """

    is_in_step: bool = True  # False while answers are still to come, and for ever when they were lost

    def __init__(self, **parameters: Any) -> None:
        if not parameters.get("unix_sock"):
            address = parameters.get("host", "localhost"), parameters.get("port", 5432)
            parameters["sock"] = dial(*address, parameters.get("timeout"))
        super().__init__(**parameters)
        self._shapes: dict[bytes, _Shape] = {}  # of the statements that Postgres has parsed by name
        self.register_in_adapter(TIMESTAMPTZ, datetime.fromisoformat)  # pg8000's own parses by a pattern
        for json in (JSON, JSONB):
            self.register_in_adapter(json, from_json)

    def fly(self, calls: Sequence[Call], *, named: bool) -> DatabaseError | None:
        """Send calls under one Sync and put their results into them; return the error of one that failed.

        What follows it was not executed. Raises the driver's or the socket's error when the
        connection was lost.
        """
        self.is_in_step = False
        self._send(b"".join([*self._messages(calls, named=named), SYNC_MSG]))
        return self._receive(calls, named=named)

    def _messages(self, calls: Sequence[Call], *, named: bool) -> list[bytes]:
        """Return the messages of the calls; a statement that is not known yet is parsed and described too."""
        messages: list[bytes] = []
        parsed = set(self._shapes)
        for call in calls:
            statement = call.statement
            name = (statement.name if named else b"") + NULL_BYTE
            if not named or statement.name not in parsed:
                parsed.add(statement.name)
                messages += (
                    _message(b"P", name + statement.sql.encode() + NULL_BYTE + COUNT.pack(0)),
                    _message(b"D", b"S" + name),
                )
            values = _bound([self._text(call.values[one]) for one in statement.parameters])
            messages += (_message(b"B", NULL_BYTE + name + values), EXECUTE_MSG)
        return messages

    def _text(self, value: object) -> bytes | None:
        """Return a value in text form; bytes are that already."""
        if value is None or isinstance(value, bytes):
            return value
        text: str = make_param(self.py_types, value)
        return text.encode()

    def _receive(self, calls: Sequence[Call], *, named: bool) -> DatabaseError | None:
        """Read the answers up to the end; a statement is known when its description was read."""
        error: DatabaseError | None = None
        answered = 0
        shape = _Shape()
        rows: list[list[Any]] = []
        read = self._sock.read
        while True:
            code, size = HEADER.unpack(_exactly(read(HEADER.size), HEADER.size, error))
            body = _exactly(read(size - LENGTH.size), size - LENGTH.size, error)
            if code == DATA_ROW:
                rows.append(_row(body, shape.converters))
            elif code == BIND_COMPLETE:
                rows = []
                if named:
                    shape = self._shapes[calls[answered].statement.name]
            elif code == COMMAND_COMPLETE:
                calls[answered].result = Result(shape.columns, rows, body[:-1].decode())
                answered += 1
            elif code in (ROW_DESCRIPTION, NO_DATA):
                shape = self._shape_of(body) if code == ROW_DESCRIPTION else _Shape()
                if named:
                    self._shapes[calls[answered].statement.name] = shape
            elif code == ERROR_RESPONSE:
                error = error or _error_of(body)
            elif code == READY_FOR_QUERY:
                self._transaction_status = body
                self.is_in_step = True
                return error
            else:
                self.message_types[code](body, Context(None))

    def _shape_of(self, body: bytes) -> _Shape:
        context = Context(None)
        self.handle_ROW_DESCRIPTION(body, context)
        converters = (None if one is string_in else one for one in context.input_funcs)
        return _Shape(tuple(column["name"] for column in context.columns), tuple(converters))

    def execute_simple(self, statement: str) -> Context:
        """Execute a statement without parameters; begin transactions at READ COMMITTED, always."""
        return super().execute_simple(BEGIN if statement == "begin transaction" else statement)

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Context:
        """Execute one statement of SQLAlchemy's; raise the driver's error when Postgres refuses it."""
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


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + LENGTH.pack(LENGTH.size + len(body)) + body


def _bound(values: Sequence[bytes | None]) -> bytes:
    """Return values as Bind wants them: in text form, and results in text form."""
    parts = [COUNT.pack(0), COUNT.pack(len(values))]
    for value in values:
        if value is None:
            parts.append(LENGTH.pack(-1))
        else:
            parts += (LENGTH.pack(len(value)), value)
    return b"".join([*parts, COUNT.pack(0)])


def _row(body: bytes, converters: Sequence[Callable[[str], Any] | None]) -> list[Any]:
    at = COUNT.size
    row: list[Any] = []
    for convert in converters:
        (size,) = LENGTH.unpack_from(body, at)
        at += LENGTH.size
        if size < 0:
            row.append(None)
            continue
        value = body[at : at + size].decode()
        at += size
        row.append(convert(value) if convert else value)
    return row


def _error_of(body: bytes) -> DatabaseError:
    """Return the error without what it says about values: they may be names of files."""
    fields = [part.decode(errors="replace") for part in body.split(NULL_BYTE) if part]
    return DatabaseError({one[0]: one[1:] for one in fields if one[0] in ERROR_FIELDS})


def _exactly(data: bytes, size: int, error: DatabaseError | None) -> bytes:
    """Return the data; when the connection ended before them, raise the server's last words, if any."""
    if len(data) < size:
        raise error or InterfaceError("network error")
    return data


def dial(host: str, port: int, timeout: float | None = None) -> socket.socket:
    """Return a socket with TCP_NODELAY.

    The driver writes a large statement in pieces; with Nagle's algorithm the last piece waits for the
    server's delayed acknowledgement, 40 ms per statement.
    """
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        raise InterfaceError("no connection") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


# The module that SQLAlchemy takes for the driver, with this connection in place of pg8000's own.
DRIVER = SimpleNamespace(**vars(pg8000) | {"connect": OneTripConnection})
