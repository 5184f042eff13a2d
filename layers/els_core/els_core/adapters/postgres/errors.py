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
    RejectedByStoreError,
)


class ConflictError(CoordinationTimeoutError):
    """A concurrent transaction conflicted with "{operation}"; rolled back."""


class DisconnectedError(ExternalServiceError):
    """{service} closed the connection during "{operation}"."""


class StatementNameError(DisconnectedError):
    """A pooler before {service} mixed up prepared statements during "{operation}"; repeated without names."""


class PrecededError(ProcessingError):
    """A concurrent transaction inserted the same row during "{operation}"; retrying returns its result."""


class SchemaMissingError(ExternalServiceError):
    """{service} has no table for "{operation}": run migrate_database, or correct the role's search_path."""


class PermissionMissingError(ExternalServiceError):
    """{service} does not let the role do "{operation}": run migrate_database, or grant what is missing."""


# The meaning of a state is the first that fits; any other state is a ProcessingError.
_MEANINGS: tuple[tuple[tuple[str, ...], type[FaultError]], ...] = (
    (("40",), ConflictError),  # serialization failure, deadlock, and others after which all is rolled back
    (("23505",), PrecededError),  # unique violation
    (("22012",), ProcessingError),  # `record_decisions` divides by zero when rows are not as they were locked
    (("26000", "42P05", "0A000"), StatementNameError),  # name unknown, name taken, other columns than then
    (("55P03", "57014"), CoordinationTimeoutError),  # lock timeout, statement timeout
    (("57P01", "57P02", "57P05", "25P03"), DisconnectedError),  # shut down, crashed, idle too long
    # Connection, login, unknown database, resources (disk full, too many connections), object not in the
    # state needed, operator, I/O, configuration, internal error, read-only after a failover, a transaction
    # that took too long: whatever the data are, all fail alike.
    (("08", "28", "3D", "53", "55", "57", "58", "F0", "XX", "25006", "25P04"), ExternalServiceError),
    (("42P01", "42703", "3F000"), SchemaMissingError),  # unknown table, column or schema
    (("42501",), PermissionMissingError),
    (("42",), ExternalServiceError),  # a statement that this server does not understand, with any data
    (("22", "23"), RejectedByStoreError),  # data that no row can hold, constraints
)


def fault_of(error: Exception, operation: str) -> FaultError:
    """Return the fault that an error of the driver means."""
    if isinstance(error, FaultError):
        return error
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, DatabaseError) and original.args and isinstance(original.args[0], dict):
        answer: dict[str, str] = original.args[0]
        return _from_state(answer.get("C", ""), answer.get("n", ""), operation)
    # A server that answers nothing would make each repetition wait for as long again.
    kind = ExternalServiceError if _timed_out(original) else DisconnectedError
    return kind(operation, service="Postgres", details=type(original).__name__)


def _timed_out(error: BaseException | None) -> bool:
    """Tell whether the socket's time limit lies at the bottom of it, also where a rollback failed on top."""
    while error is not None and not isinstance(error, TimeoutError):
        error = error.__cause__ or error.__context__
    return error is not None


def _from_state(state: str, constraint: str, operation: str) -> FaultError:
    details = f"SQLSTATE {state}" + (f", {constraint}" if constraint else "")
    kind = next((kind for states, kind in _MEANINGS if state.startswith(states)), ProcessingError)
    return kind(operation, service="Postgres", details=details)
