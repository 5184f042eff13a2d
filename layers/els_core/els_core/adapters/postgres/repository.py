"""The port `Repository`: transactions that are run again where that is right, and what needs none."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pg8000.exceptions import Error
from sqlalchemy.exc import SQLAlchemyError

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.errors import (
    ConflictError,
    DisconnectedError,
    PrecededError,
    fault_of,
)
from els_core.adapters.postgres.rows import snapshot_of
from els_core.adapters.postgres.transaction import PostgresTransaction
from els_core.domain.errors import ExternalServiceError, FaultError
from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Engine

    from els_core.application.ports.repository import Transaction
    from els_core.domain.batches import BatchSnapshot

ATTEMPTS = 4
REPEATED = (ConflictError, DisconnectedError, PrecededError)


class PostgresRepository:
    """The record, on an engine whose connections may have been cut while they were idle."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        """Run the work and commit; again when the answer was lost too, for work is idempotent."""
        return self._again(
            self.engine.begin, lambda connection: work(PostgresTransaction(connection)), "run a transaction"
        )

    def delete_sent(self, event_ids: Sequence[UUID]) -> None:
        """Delete sent rows in one statement that does not wait for the disk."""
        ids = json.dumps([str(event_id) for event_id in event_ids])
        self._again(
            self._single,
            lambda connection: connection.execute(statements.FORGET, {"ids": ids}),
            "delete sent events",
        )

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        """Read a page of the outbox."""
        parameters = {"grace": older_than.total_seconds(), "after": after, "limit": limit}
        rows = self._again(
            self._single,
            lambda connection: connection.execute(statements.UNSENT, parameters).all(),
            "read the outbox",
        )
        return [(position, OutboxMessage(UUID(str(event_id)), *rest)) for position, event_id, *rest in rows]

    def purge(self, age: timedelta, limit: int) -> int:
        """Delete a page of old batches; what they hold goes with them."""
        parameters = {"age": age.total_seconds(), "limit": limit}
        return self._again(
            self._single,
            lambda connection: connection.execute(statements.PURGE, parameters).rowcount,
            "delete old batches",
        )

    def find(self, batch_id: str) -> tuple[BatchSnapshot, datetime] | None:
        """Read one batch without a lock."""
        parameters = {"ids": json.dumps([batch_id])}
        row = self._again(
            self._single,
            lambda connection: connection.execute(statements.ROLLS, parameters).mappings().first(),
            "read a batch",
        )
        return (snapshot_of(row), row["now"]) if row else None

    @contextmanager
    def _single(self) -> Iterator[Connection]:
        """Yield a connection whose statements commit by themselves: no BEGIN, no COMMIT, one round trip.

        The driver is told itself: SQLAlchemy's AUTOCOMMIT sends a COMMIT all the same, and afterwards
        statements that set the session back, which cost more and pin it at a proxy.
        """
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True
            try:
                yield connection
            finally:
                driver.autocommit = False

    def _again[T](
        self,
        connected: Callable[[], AbstractContextManager[Connection]],
        work: Callable[[Connection], T],
        operation: str,
    ) -> T:
        """Run the work on a connection; again after a conflict or a connection that was cut."""
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
        """Tell whether the work is run again, on a new connection where the old one is not to be trusted."""
        if isinstance(fault, ExternalServiceError):
            self.engine.dispose()  # the others of the pool were most likely cut too
        return left > 0 and isinstance(fault, REPEATED)
