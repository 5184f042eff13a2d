"""Connections as the adapters use them: transactions with retries, and single statements in autocommit."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pg8000.exceptions import Error
from sqlalchemy.exc import SQLAlchemyError

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError, PrecededError, fault_of
from els_core.domain.errors import ExternalServiceError, FaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import RowMapping

    from els_core.adapters.postgres.statements import Statement

ATTEMPTS = 4
RETRIED = (ConflictError, DisconnectedError, PrecededError)


class PostgresSession:
    """Runs work on a connection of the engine, and once more after a conflict or a lost connection.

    A commit may have succeeded although its answer was lost, so the work must be idempotent.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def transact[T](self, work: Callable[[Connection], T]) -> T:
        """Run the work in one transaction and commit."""
        return self._with_retries(self.engine.begin, work, "run transaction")

    def read(self, statement: Statement, **parameters: Any) -> Sequence[RowMapping]:
        """Execute one statement in autocommit and return its rows."""
        return self._with_retries(
            self._autocommit,
            lambda connection: connection.execute(statement.clause, parameters).mappings().all(),
            statement.operation,
        )

    def write(self, statement: Statement, **parameters: Any) -> int:
        """Execute one statement in autocommit and return how many rows it wrote."""
        return self._with_retries(
            self._autocommit,
            lambda connection: connection.execute(statement.clause, parameters).rowcount,
            statement.operation,
        )

    @contextmanager
    def _autocommit(self) -> Iterator[Connection]:
        """Yield a connection without BEGIN and COMMIT: one round trip per statement.

        Sets the driver's own flag. SQLAlchemy's AUTOCOMMIT sends a COMMIT nevertheless, and then statements
        that reset the session: they cost round trips, and they pin the session at RDS Proxy.
        """
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True
            try:
                yield connection
            finally:
                driver.autocommit = False

    def _with_retries[T](
        self,
        connected: Callable[[], AbstractContextManager[Connection]],
        work: Callable[[Connection], T],
        operation: str,
    ) -> T:
        for left in reversed(range(ATTEMPTS)):
            try:
                with connected() as connection:
                    return work(connection)
            except FaultError as fault:
                if not self._is_retried(fault, left):
                    raise
            except (SQLAlchemyError, Error, OSError) as error:
                known = fault_of(error, operation)
                if not self._is_retried(known, left):
                    raise known from error
        raise AssertionError("the last attempt returns or raises")

    def _is_retried(self, fault: FaultError, left: int) -> bool:
        """Tell whether the work runs once more; drop the pool where its connections may be broken."""
        if isinstance(fault, ExternalServiceError):
            self.engine.dispose()  # whatever broke one connection most likely broke the others too
        return left > 0 and isinstance(fault, RETRIED)
