"""What an error of Postgres means: one row per SQLSTATE that the service knows."""

from __future__ import annotations

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.errors import (
    ConflictError,
    DisconnectedError,
    PermissionMissingError,
    PrecededError,
    SchemaMissingError,
    StatementNameError,
    fault_of,
)
from els_core.adapters.postgres.session import Session
from els_core.adapters.postgres.statements import Statement
from els_core.domain.errors import (
    CoordinationTimeoutError,
    ExternalServiceError,
    FaultError,
    ProcessingError,
    RejectedByStoreError,
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
MEANINGS = [
    # SQLSTATE  what Postgres says            what it means
    ("40001", "serialization failure",        ConflictError),
    ("40P01", "deadlock detected",            ConflictError),
    ("23505", "unique violation",             PrecededError),
    ("22012", "division by zero",             ProcessingError),
    ("26000", "invalid statement name",       StatementNameError),
    ("42P05", "duplicate prepared statement", StatementNameError),
    ("0A000", "feature not supported",        StatementNameError),
    ("55P03", "lock not available",           CoordinationTimeoutError),
    ("57014", "query canceled",               CoordinationTimeoutError),
    ("57P01", "admin shutdown",               DisconnectedError),
    ("57P02", "crash shutdown",               DisconnectedError),
    ("57P05", "idle session timeout",         DisconnectedError),
    ("25P03", "idle in transaction timeout",  DisconnectedError),
    ("08006", "connection failure",           ExternalServiceError),
    ("53100", "disk full",                    ExternalServiceError),
    ("53300", "too many connections",         ExternalServiceError),
    ("57P03", "cannot connect now",           ExternalServiceError),
    ("58030", "input/output error",           ExternalServiceError),
    ("25006", "read only transaction",        ExternalServiceError),
    ("22P05", "untranslatable character",     RejectedByStoreError),
    ("22003", "numeric value out of range",   RejectedByStoreError),
    ("23503", "foreign key violation",        RejectedByStoreError),
    ("23514", "check violation",              RejectedByStoreError),
    ("42P01", "undefined table",              SchemaMissingError),
    ("XX000", "internal error",               ExternalServiceError),
    ("28P01", "invalid password",             ExternalServiceError),
    ("28000", "invalid authorization",        ExternalServiceError),
    ("3D000", "unknown database",             ExternalServiceError),
    ("55006", "object in use",                ExternalServiceError),
    ("42501", "insufficient privilege",       PermissionMissingError),
    ("42601", "syntax error",                 ExternalServiceError),
    ("42883", "undefined function",           ExternalServiceError),
    ("25P04", "transaction timeout",          ExternalServiceError),
    ("F0000", "configuration file error",     ExternalServiceError),
    ("40003", "statement completion unknown", ConflictError),
    ("P0001", "raised by a trigger",          ProcessingError),
    ("",      "nothing",                      ProcessingError),
]  # fmt: skip


def error(state: str, constraint: str = "") -> DatabaseError:
    """Return the error as pg8000 raises it: the fields of the server's message by their letters."""
    return DatabaseError({"S": "ERROR", "C": state, "n": constraint, "M": "Anna-Andersson.txt"})


@pytest.mark.fault(21)
@pytest.mark.fault(31)
@pytest.mark.parametrize(("state", "said", "meaning"), MEANINGS)
def test_an_error_is_recognised_by_its_sqlstate(state: str, said: str, meaning: type[FaultError]) -> None:
    fault = fault_of(error(state), "record decisions")
    assert type(fault) is meaning, said
    assert (fault.operation, fault.service) == ("record decisions", "Postgres")
    assert state in str(fault)


def test_a_violation_is_reported_by_the_name_of_its_constraint() -> None:
    assert "one_slot_per_content" in str(fault_of(error("23505", "one_slot_per_content"), "record"))


def test_the_text_of_an_error_is_never_repeated() -> None:
    assert "Anna" not in str(fault_of(error("22P05"), "record"))


@pytest.mark.fault(21)
def test_a_lost_connection_is_retried_and_a_hanging_one_is_not() -> None:
    lost = fault_of(InterfaceError("network error"), "record")
    assert type(lost) is DisconnectedError
    hanging = InterfaceError("network error")
    hanging.__cause__ = TimeoutError("timed out")
    assert type(fault_of(hanging, "record")) is ExternalServiceError


def test_a_fault_stays_what_it_is() -> None:
    fault = ProcessingError("record")
    assert fault_of(fault, "another operation") is fault


@pytest.mark.fault(31)
def test_a_login_that_fails_in_the_sdk_is_a_fault_of_the_store_and_tried_once() -> None:
    asked: list[str] = []

    def token() -> str:
        asked.append("token")
        raise LookupError("no AWS credentials for Anna")

    session = Session(connect("postgresql+pg8000://els@127.0.0.1:9/els?sslmode=disable", token))
    with pytest.raises(ExternalServiceError, match="LookupError") as failed:
        session.read("read", Statement.of("select 1"), {})
    assert "Anna" not in str(failed.value)
    assert asked == ["token"]
