"""Errors of Postgres as faults, recognised by SQLSTATE and constraint name, never by their text.

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
    RejectedByStoreError,
)


class ConflictError(CoordinationTimeoutError):
    """A deadlock or serialization failure aborted "{operation}"; the message is retried."""


class DisconnectedError(ExternalServiceError):
    """{service} closed the connection during "{operation}"; the message is retried."""


class PrecededError(ProcessingError):
    """A concurrent transaction inserted the same row during "{operation}"; retrying returns its result."""


# The first row whose prefix fits the SQLSTATE decides; any other error is a ProcessingError.
_MEANINGS: tuple[tuple[tuple[str, ...], type[FaultError]], ...] = (
    (("40001", "40P01"), ConflictError),  # serialization failure, deadlock
    (("23505",), PrecededError),  # unique violation
    (("55P03", "57014"), CoordinationTimeoutError),  # lock timeout, statement timeout
    (("57P01", "57P02", "57P05", "25P03"), DisconnectedError),  # shutdown, crash, idle timeout
    # Connection, resources (disk full, too many connections), operator, I/O, read-only after failover.
    (("08", "53", "57", "58", "25006"), ExternalServiceError),
    (("22", "23"), RejectedByStoreError),  # invalid data, violated constraints
)


def fault_of(error: Exception, operation: str) -> FaultError:
    """Return the fault for an error of the driver; a fault stays as it is."""
    if isinstance(error, FaultError):
        return error
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, DatabaseError) and original.args and isinstance(original.args[0], dict):
        answer: dict[str, str] = original.args[0]
        return _from_state(answer.get("C", ""), answer.get("n", ""), operation)
    # A timeout is not retried here: a server that does not answer would cost the same time again.
    kind = ExternalServiceError if _timed_out(original) else DisconnectedError
    return kind(operation, service="Postgres", details=type(original).__name__)


def _timed_out(error: BaseException | None) -> bool:
    """Tell whether a socket timeout is the root cause, also where the rollback failed afterwards."""
    while error is not None and not isinstance(error, TimeoutError):
        error = error.__cause__ or error.__context__
    return error is not None


def _from_state(state: str, constraint: str, operation: str) -> FaultError:
    details = f"SQLSTATE {state}" + (f", {constraint}" if constraint else "")
    kind = next((kind for states, kind in _MEANINGS if state.startswith(states)), ProcessingError)
    return kind(operation, service="Postgres", details=details)
