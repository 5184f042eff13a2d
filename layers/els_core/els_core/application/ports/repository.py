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
    """A parked row; `arrival` is None when its stored form can no longer be read."""

    batch_id: str
    identity: str
    arrival: Arrival | None


class Transaction(Protocol):
    """One unit of work: a Postgres transaction. What is read after `lock` stays true until the commit.

    Raises `RejectedByStoreError` when Postgres rejects the data as such.
    """

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        """Insert placeholders (`awaited`) for unknown batches, lock all rows in id order, return them."""
        ...

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Return the time of Postgres and, for distinct arrivals, first answers and free slots."""
        ...

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        """Open locked awaited batches with all slots available; return their new rows."""
        ...

    def parked(self, batch_ids: Sequence[str]) -> list[ParkedArrival]:
        """Return the parked arrivals of these locked batches, oldest first."""
        ...

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Delete parked arrivals that have been decided."""
        ...

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write slots, failures, excess contents, parked arrivals and batch rows.

        Raises `ProcessingError` when a row is no longer as it was when it was locked.
        """
        ...

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Return the snapshots of these locked batches."""
        ...

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        """Insert messages into the outbox; idempotent by event id."""
        ...

    def overdue(self, limit: int) -> tuple[datetime, list[Batch]]:
        """Return the time of Postgres, and lock open batches past their deadline (`SKIP LOCKED`)."""
        ...

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        """Lock awaited batches with arrivals parked for longer than `waited`, and mark these as announced.

        Like `overdue` it skips locked rows and also returns the time of Postgres. The batch rows have the
        version that the marking made.
        """
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Roll back to the start of the block when it raises."""
        ...


class Repository(Protocol):
    """Postgres decides: a slot is owned when the commit has returned.

    Raises `ExternalServiceError(service="Postgres")`, `CoordinationTimeoutError`, `ProcessingError` and
    `RejectedByStoreError`.
    """

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction and commit; repeat it after a deadlock or a lost connection."""
        ...

    def delete_sent(self, event_ids: Sequence[UUID]) -> None:
        """Delete outbox rows that were sent. If this is lost, the events are sent again."""
        ...

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        """Return outbox rows with positions above `after`, in order of position."""
        ...

    def purge(self, age: timedelta, limit: int) -> int:
        """Delete up to `limit` batches unchanged for longer than `age`, never open ones; return how many."""
        ...

    def find(self, batch_id: str) -> tuple[BatchSnapshot, datetime] | None:
        """Return the snapshot of a batch and the time of Postgres; None for an unknown batch."""
        ...
