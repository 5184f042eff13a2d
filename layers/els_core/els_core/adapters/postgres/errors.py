"""What Postgres says when it fails, told by SQLSTATE and constraint name, never by text.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from pg8000.exceptions import DatabaseError
from sqlalchemy.exc import DBAPIError

from els_core.domain.errors import (
    CoordinationTimeoutError,
    ExternalServiceError,
    FaultError,
    ProcessingError,
    ValidationError,
)


class ConflictError(CoordinationTimeoutError):
    """Another transaction got in the way while trying to {operation}; the message comes back."""


class DisconnectedError(ExternalServiceError):
    """{service} closed the connection while trying to {operation}; the message comes back."""


_CONFLICTS = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_TIMEOUTS = frozenset({"55P03", "57014"})  # lock timeout, statement timeout
_DISCONNECTS = frozenset({"57P01", "57P02", "57P05", "25P03"})  # shut down, crashed, idle too long
# Connection, resources (disk full, too many connections), operator, read-only after a failover, I/O.
_UNAVAILABLE = ("08", "53", "57", "58", "25006")
_REFUSED = ("22", "23")  # data that no row can hold, constraints


def fault_of(error: Exception, operation: str) -> FaultError:
    """Return the fault that an error of the driver means."""
    if isinstance(error, FaultError):
        return error
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, DatabaseError) and original.args and isinstance(original.args[0], dict):
        answer: dict[str, str] = original.args[0]
        return _from_state(answer.get("C", ""), answer.get("n", ""), operation)
    return DisconnectedError(operation, service="Postgres", details=type(original).__name__)


def _from_state(state: str, constraint: str, operation: str) -> FaultError:
    details = f"SQLSTATE {state}" + (f", {constraint}" if constraint else "")
    if state in _CONFLICTS:
        return ConflictError(operation, service="Postgres", details=details)
    if state in _TIMEOUTS:
        return CoordinationTimeoutError(operation, service="Postgres", details=details)
    if state in _DISCONNECTS:
        return DisconnectedError(operation, service="Postgres", details=details)
    if state.startswith(_UNAVAILABLE):
        return ExternalServiceError(operation, service="Postgres", details=details)
    if state.startswith(_REFUSED):
        return ValidationError(operation, service="Postgres", details=details)
    return ProcessingError(operation, service="Postgres", details=details)
