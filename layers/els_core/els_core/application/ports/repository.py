"""Postgres: transactions, the outbox and the reading side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from uuid import UUID

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange, LockedView
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Proposal


@dataclass(frozen=True, slots=True)
class ParkedArrival:
    """A row of the parking: `arrival` is absent when the stored form can no longer be read."""

    batch_id: str
    identity: str
    arrival: Arrival | None


class Transaction(Protocol):
    """One Postgres transaction. What is read after `lock` is what the holder of the lock may rely on.

    Raises `ValidationError` when the store refuses the data themselves.
    """

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        """Name batches that nobody has named yet (as `awaited`), lock all rows in order, return them."""
        ...

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Return the record's time and, for distinct arrivals, first answers and free slots."""
        ...

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        """Turn locked awaited batches into open ones with all slots available; return their new rows."""
        ...

    def parked(self, batch_ids: Sequence[str]) -> list[ParkedArrival]:
        """Return what is parked beside these locked batches, oldest first."""
        ...

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Remove parked arrivals that have been decided."""
        ...

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write slots, failures, excess, parked arrivals and batch rows.

        Raises `ProcessingError` when one of them is not as it was when it was locked.
        """
        ...

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Return everything that these locked batches hold."""
        ...

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        """Put messages into the outbox; one with the same event id stays as it is."""
        ...

    def overdue(self, limit: int) -> tuple[datetime, list[Batch]]:
        """Return the record's time, and lock open batches past their deadline, skipping those others hold."""
        ...

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        """Lock awaited batches with arrivals parked for longer, mark these as announced and return them.

        Like `overdue`, skips what others hold and returns the record's time too. The rows come back
        with the version that the marking made.
        """
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo what is written inside when it raises, and keep what was written before."""
        ...


class Repository(Protocol):
    """Postgres: the record and the judge. A slot is owned when the commit says so.

    Raises `ExternalServiceError(service="Postgres")`, `CoordinationTimeoutError`, `ProcessingError` and
    `ValidationError`.
    """

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        """Run the work in one transaction and commit; again after a deadlock or a connection that was cut."""
        ...

    def delete_sent(self, event_ids: Sequence[UUID]) -> None:
        """Delete outbox rows that were sent; losing this costs a repetition, never an event."""
        ...

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        """Return outbox rows in their order with sequence numbers above `after`, oldest first."""
        ...

    def purge(self, age: timedelta, limit: int) -> int:
        """Delete up to `limit` batches untouched for longer than `age`, never open ones; return how many."""
        ...

    def find(self, batch_id: str) -> tuple[BatchSnapshot, datetime] | None:
        """Return a batch with all that it holds and the record's time; None when no one has named it."""
        ...
