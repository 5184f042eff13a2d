"""The role of the functions: it reads and writes rows, carries their time limits, and owns nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from els_core.domain.errors import ProcessingError
from migrations.tables import METADATA, SEQUENCES

# All below the timeout of the functions, so that one that was killed keeps no lock.
LIMITS = {"lock_timeout": "5s", "statement_timeout": "8s", "idle_in_transaction_session_timeout": "8s"}
ROWS = "SELECT, INSERT, UPDATE, DELETE"
INSUFFICIENT_PRIVILEGE = "42501"
IAM_ROLE = "rds_iam"  # on Aurora and RDS, its members log in with an IAM token
HAS_LIMIT = """
SELECT EXISTS (
    SELECT FROM pg_db_role_setting
    WHERE setrole = CAST(:role AS regrole)
        AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND :setting = ANY (setconfig)
)
"""


@dataclass(frozen=True)
class RuntimeRole:
    """A role by its name; one that logs in with an IAM token is made when it is missing."""

    name: str
    logs_in_with_iam: bool

    def prepare(self, connection: Connection) -> None:
        """Make the role, set its limits and let it read and write rows; commits.

        Raises `ProcessingError` with the statement that somebody else has to run when the owner may not.
        """
        quoted = _quoted(connection, self.name)
        if not _exists(connection, self.name):
            self._create(connection, quoted)
        database = _quoted(connection, connection.execute(text("SELECT current_database()")).scalar_one())
        for limit, value in LIMITS.items():
            known = {"role": quoted, "setting": f"{limit}={value}"}
            if not connection.execute(text(HAS_LIMIT), known).scalar_one():
                _run(connection, f"ALTER ROLE {quoted} IN DATABASE {database} SET {limit} = '{value}'")
        schema = _quoted(connection, connection.execute(text("SELECT current_schema()")).scalar_one())
        tables = ", ".join(f"{schema}.{table}" for table in METADATA.tables)
        _run(connection, f"GRANT CONNECT ON DATABASE {database} TO {quoted}")
        _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
        _run(connection, f"GRANT {ROWS} ON {tables} TO {quoted}")
        for sequence in SEQUENCES:  # a column that is an identity needs no grant
            _run(connection, f"GRANT USAGE ON SEQUENCE {schema}.{sequence} TO {quoted}")
        _run(connection, f"GRANT SELECT ON {schema}.alembic_version TO {quoted}")
        connection.commit()

    def _create(self, connection: Connection, quoted: str) -> None:
        if not self.logs_in_with_iam:
            details = f"the role {self.name} does not exist, and its password is not known here: create it"
            raise ProcessingError("prepare the runtime role", service="Postgres", details=details)
        _run(connection, f"CREATE ROLE {quoted} LOGIN")
        if _exists(connection, IAM_ROLE):
            _run(connection, f"GRANT {IAM_ROLE} TO {quoted}")


def _exists(connection: Connection, role: str) -> bool:
    count = text("SELECT count(*) FROM pg_roles WHERE rolname = :role")
    return bool(connection.execute(count, {"role": role}).scalar_one())


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _run(connection: Connection, statement: str) -> None:
    try:
        connection.execute(text(statement))
    except DatabaseError as error:
        if error.orig is None or error.orig.args[0].get("C") != INSUFFICIENT_PRIVILEGE:
            raise
        details = f"the owner may not: {statement}; let an administrator run it, then deploy again"
        raise ProcessingError("prepare the runtime role", service="Postgres", details=details) from error
