"""Runs transactions and single statements, again after a conflict or a lost connection."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pg8000.exceptions import Error
from sqlalchemy.exc import SQLAlchemyError

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError, PrecededError, fault_of
from els_core.domain.errors import ExternalServiceError, FaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine, TextClause
    from sqlalchemy.engine import RowMapping

ATTEMPTS = 4
REPEATED = (ConflictError, DisconnectedError, PrecededError)


class Session:
    """An engine whose connections may have been lost while they were idle."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def transact[T](self, work: Callable[[Connection], T]) -> T:
        """Run the work in a transaction and commit.

        Repeated also when the answer to the commit was lost, because work is idempotent.
        """
        return self._repeat(self.engine.begin, work, "run a transaction")

    def read(
        self, operation: str, statement: TextClause, parameters: Mapping[str, Any]
    ) -> Sequence[RowMapping]:
        """Return the rows of a single statement."""
        return self._repeat(
            self._autocommit,
            lambda connection: connection.execute(statement, parameters).mappings().all(),
            operation,
        )

    def write(self, operation: str, statement: TextClause, parameters: Mapping[str, Any]) -> int:
        """Run a single statement; return how many rows it touched."""
        return self._repeat(
            self._autocommit, lambda connection: connection.execute(statement, parameters).rowcount, operation
        )

    @contextmanager
    def _autocommit(self) -> Iterator[Connection]:
        """Yield a connection whose statements commit by themselves: no BEGIN, no COMMIT, one round trip.

        Autocommit is set on the driver: SQLAlchemy's AUTOCOMMIT sends a COMMIT all the same, and afterwards
        statements that set the session back, which cost more and pin it at a proxy.
        """
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True
            try:
                yield connection
            finally:
                driver.autocommit = False

    def _repeat[T](
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
                if not self._is_repeated(fault, left):
                    raise
            except (SQLAlchemyError, Error, OSError) as error:
                meant = fault_of(error, operation)
                if not self._is_repeated(meant, left):
                    raise meant from error
        raise AssertionError("the last attempt returns or raises")

    def _is_repeated(self, fault: FaultError, left: int) -> bool:
        """Tell whether to repeat the work; drop the pool's connections when the server was unavailable."""
        if isinstance(fault, ExternalServiceError):
            self.engine.dispose()
        return left > 0 and isinstance(fault, REPEATED)
