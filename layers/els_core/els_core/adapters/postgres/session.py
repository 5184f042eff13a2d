"""Runs transactions and single statements, again after a conflict or a lost connection."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pg8000.exceptions import Error
from sqlalchemy.exc import SQLAlchemyError

from els_core.adapters.postgres.calls import Call
from els_core.adapters.postgres.driver import BEGIN
from els_core.adapters.postgres.errors import (
    ConflictError,
    DisconnectedError,
    PrecededError,
    StatementNameError,
    fault_of,
)
from els_core.adapters.postgres.pipeline import Pipeline
from els_core.adapters.postgres.statements import Statement
from els_core.application.ports.store_calls import unobserved
from els_core.domain.errors import ExternalServiceError, FaultError, ProcessingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Engine
    from sqlalchemy.pool import PoolProxiedConnection

    from els_core.application.ports.store_calls import ObserveCall

ATTEMPTS = 4
REPEATED = (ConflictError, DisconnectedError, PrecededError)
_BEGIN, _COMMIT = Statement.of(BEGIN), Statement.of("commit")


class Session:
    """An engine whose connections may have been lost while they were idle.

    Statements are `named`, which saves Postgres the parsing and planning, unless a pooler before it does not
    know their names. `observe` surrounds each transaction and each single statement, with its repetitions.
    """

    def __init__(self, engine: Engine, *, named: bool = True, observe: ObserveCall = unobserved) -> None:
        self.engine = engine
        self.named = named
        self._observe = observe

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def transact[T](self, work: Callable[[Pipeline], T]) -> T:
        """Run the work in a transaction and commit.

        BEGIN travels with the first statements of the work, COMMIT with the last. Repeated also when the
        answer to the commit was lost, because work is idempotent.
        """

        def run(pipeline: Pipeline) -> T:
            pipeline.later(Call("begin", _BEGIN, max_rows=0))
            done = work(pipeline)
            tag = pipeline.now(Call("commit", _COMMIT, max_rows=0)).tag
            if tag != "COMMIT":  # so Postgres says that a failed transaction was rolled back
                raise ProcessingError("commit", service="Postgres", details=f"it answered {tag}")
            return done

        return self._repeat(run, "run a transaction")

    def read(
        self, operation: str, statement: Statement, parameters: Mapping[str, object]
    ) -> list[dict[str, Any]]:
        """Return the rows of a single statement, which commits by itself."""
        call = Call(operation, statement, parameters)
        return self._repeat(lambda pipeline: pipeline.now(call).mappings(), operation)

    def write(self, operation: str, statement: Statement, parameters: Mapping[str, object]) -> int:
        """Run a single statement, which commits by itself; return how many rows it touched."""
        call = Call(operation, statement, parameters)
        return self._repeat(lambda pipeline: pipeline.now(call).count, operation)

    def _repeat[T](self, work: Callable[[Pipeline], T], operation: str) -> T:
        with self._observe(operation):
            return self._attempt(work, operation)

    def _attempt[T](self, work: Callable[[Pipeline], T], operation: str) -> T:
        for left in reversed(range(ATTEMPTS)):
            try:
                with self._pipeline() as pipeline:
                    return work(pipeline)
            except FaultError as fault:
                if not self._is_repeated(fault, left):
                    raise
            except (SQLAlchemyError, Error, OSError) as error:
                meant = fault_of(error, operation)
                if not self._is_repeated(meant, left):
                    raise meant from error
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _pipeline(self) -> Iterator[Pipeline]:
        """Yield a pipeline on the pool's connection, which rolls back what was not committed.

        A connection whose answers were lost is closed: what it would read next belongs to another question.
        """
        pooled = self._connection()
        driver: Any = pooled.driver_connection
        try:
            yield Pipeline(driver, named=self.named)
        finally:
            if not driver.is_in_step:
                pooled.invalidate()
            pooled.close()

    def _connection(self) -> PoolProxiedConnection:
        """Return the pool's connection; raise a fault of the store for whatever a login may raise."""
        try:
            return self.engine.raw_connection()
        except (SQLAlchemyError, Error, OSError):
            raise
        except Exception as error:  # such as one of the SDK that makes the token for the login
            details = type(error).__name__
            raise ExternalServiceError("connect", service="Postgres", details=details) from error

    def _is_repeated(self, fault: FaultError, left: int) -> bool:
        """Tell whether to repeat the work; drop the pool's connections when the server was unavailable."""
        if isinstance(fault, StatementNameError):
            self.named = False
        if isinstance(fault, ExternalServiceError):
            self.engine.dispose()
        return left > 0 and isinstance(fault, REPEATED)
