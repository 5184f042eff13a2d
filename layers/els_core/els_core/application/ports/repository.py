"""Postgres: transactions, the outbox and the reading side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from els_core.application.ports.steering import SteeringTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import (
        Batch,
        BatchSnapshot,
        Registration,
    )
    from els_core.domain.decisions import BatchChange, LockedView
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Proposal


@dataclass(frozen=True, slots=True)
class ParkedArrival:
    """A parked row; `arrival` is None when its stored form can no longer be read."""

    batch_id: str
    identity: str
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class DeadlinePosition:
    """Where a page of overdue batches ended."""

    deadline: datetime
    batch_id: str


class Transaction(SteeringTransaction, Protocol):
    """One unit of work: a Postgres transaction. What is read after `lock` stays true until the commit.

    Raises `RejectedByStoreError` when Postgres rejects the data as such.
    """

    def lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> dict[str, Batch]:
        """Insert placeholders (`awaited`) for unknown batches, lock all rows in id order, return them.

        With `only_known` unknown batches stay unknown, and are left out.
        """
        ...

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        """Return the time of Postgres and, for distinct arrivals, first answers and free slots."""
        ...

    def lock_and_view(
        self,
        batch_ids: Sequence[str],
        arrivals: Sequence[Arrival],
        proposals: Mapping[ArrivalKey, Proposal],
    ) -> tuple[dict[str, Batch], LockedView]:
        """Do both, the view under the locks."""
        ...

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        """Open locked awaited batches with all slots available; return their new rows."""
        ...

    def parked(self, batch_ids: Sequence[str], limit: int) -> list[ParkedArrival]:
        """Return up to `limit` parked arrivals of these locked batches, sorted by batch id, oldest first."""
        ...

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        """Delete parked arrivals that have been decided."""
        ...

    def record(self, changes: Sequence[BatchChange]) -> None:
        """Write slots, failures, excess contents, parked and superseded arrivals, and batch rows.

        `ProcessingError`, here or at the commit, when a row is no longer as it was when it was locked.
        """
        ...

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Return the snapshots of these locked batches."""
        ...

    def enqueue(self, messages: Sequence[OutboxMessage]) -> Sequence[OutboxMessage]:
        """Insert messages into the outbox, idempotent by event id, and keep final results with their batch.

        Returns those that were inserted, with their positions. Reading them before the commit may cost a
        round trip.
        """
        ...

    def overdue(self, after: DeadlinePosition | None, max_slots: int) -> tuple[datetime, list[Batch]]:
        """Return the time of Postgres, and lock open batches past their deadline (`SKIP LOCKED`).

        In order of deadline and id, above `after`; at most `max_slots` slots together, but at least one
        batch.
        """
        ...

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        """Lock awaited batches with arrivals parked for longer than `waited`, and mark these as announced.

        Looks at the `limit` oldest arrivals that are not announced yet. Like `overdue` it skips locked rows
        and also returns the time of Postgres. The batch rows have the version that the marking made.
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

    def delete_sent(self, positions: Sequence[int]) -> list[timedelta]:
        """Delete outbox rows that were sent. If this is lost, the events are sent again.

        Returns how long each final result among them that was now sent for the first time had to wait.

        By position: a final result that was put in again meanwhile has a new one, and stays.
        """
        ...

    def unsent(
        self, older_than: timedelta, after: int, max_bytes: int, *, is_final: bool
    ) -> list[OutboxMessage]:
        """Return outbox rows with positions above `after`, in order of position; final results or the others.

        At most `max_bytes` of details together, but at least one row.
        """
        ...

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        """Return the snapshots of batches, read without locks."""
        ...

    def purge(self, age: timedelta, max_slots: int) -> int:
        """Delete batches unchanged for longer than `age`, never open ones; return how many.

        None of which an event waits in the outbox. At most `max_slots` slots together, but at least one
        batch.
        """
        ...

    def note_run(self, job: str) -> None:
        """Note that a scheduled job ran to its end now, or that what it is named after was reached."""
        ...
