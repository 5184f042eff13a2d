"""What the use cases rest on. Bulk is the normal case: sequences in, answers out in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from uuid import UUID

    from els_core.application.taking_in import DeadLetter
    from els_core.domain.arrivals import Arrival, Key
    from els_core.domain.auditing import Finding, Known
    from els_core.domain.batches import AssignedSlot, Batch, Registration, Roll
    from els_core.domain.deciding import Change, Standing
    from els_core.domain.events import Fact, Message
    from els_core.domain.outcomes import Proposal


class Coordinator(Protocol):
    """Redis: proposes slots and answers questions. May forget, lag or lie; what it says is a hint.

    Every method raises `ExternalServiceError(service="Redis")` when it cannot be reached.
    """

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        """Propose a slot per arrival, atomically per batch and idempotently, in one round trip."""
        ...

    def install(self, rolls: Sequence[Roll], now: datetime) -> None:
        """Make Redis know the batches as they stood at their versions, never replacing a newer one."""
        ...

    def get_assigned_count(self, batch_id: str) -> int:
        """Return how many slots are proposed to contents."""
        ...

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        """Return the slots proposed to contents, by essay id."""
        ...

    def get_missing_slots(self, batch_id: str) -> list[str]:
        """Return the slots that nobody has, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class ParkedArrival:
    """A row of the parking: `arrival` is absent when the stored form can no longer be read."""

    batch_id: str
    identity: str
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How old a thing is when an audit reports it."""

    overdue: timedelta
    parked: timedelta
    unsent: timedelta


class Unit(Protocol):
    """One Postgres transaction. What is read after `lock` is what the holder of the lock may rely on.

    Raises `ValidationError` when the store refuses the data themselves.
    """

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        """Name batches that nobody has named yet (as `awaited`), lock all rows in order, return them."""
        ...

    def standing(self, arrivals: Sequence[Arrival], proposals: Mapping[Key, Proposal]) -> Standing:
        """Return the record's time and, for distinct arrivals, first answers and free slots."""
        ...

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        """Turn locked awaited batches into open ones with all slots available; return their new rows."""
        ...

    def parked(self, batch_ids: Sequence[str]) -> list[ParkedArrival]:
        """Return what is parked beside these locked batches, oldest first."""
        ...

    def unpark(self, keys: Sequence[Key]) -> None:
        """Remove parked arrivals that have been decided."""
        ...

    def record(self, changes: Sequence[Change]) -> None:
        """Write slots, failures, excess, parked arrivals and batch rows.

        Raises `ProcessingError` when one of them is not as it was when it was locked.
        """
        ...

    def rolls(self, batch_ids: Sequence[str]) -> list[Roll]:
        """Return everything that these locked batches hold."""
        ...

    def enqueue(self, messages: Sequence[Message]) -> None:
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

    def transact[T](self, work: Callable[[Unit], T]) -> T:
        """Run the work in one transaction and commit; again after a deadlock or a connection that was cut."""
        ...

    def forget(self, event_ids: Sequence[UUID]) -> None:
        """Delete outbox rows that were sent; losing this costs a repetition, never an event."""
        ...

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, Message]]:
        """Return outbox rows in their order with sequence numbers above `after`, oldest first."""
        ...

    def purge(self, age: timedelta, limit: int) -> int:
        """Delete up to `limit` batches untouched for longer than `age`, never open ones; return how many."""
        ...

    def find(self, batch_id: str) -> tuple[Roll, datetime] | None:
        """Return a batch with all that it holds and the record's time; None when no one has named it."""
        ...


class Inspector(Protocol):
    """Redis, as the audit reads it; raises what `Coordinator` raises."""

    def inspect(self, batch_ids: Sequence[str]) -> list[Known | None]:
        """Return what is known of each batch, each at one moment; None for one that is not known."""
        ...


class Ledger(Protocol):
    """Postgres, as the audit reads it; raises what `Repository` raises."""

    def suspects(self, limits: Limits, page: int) -> list[Finding]:
        """Return what waits for too long, at most `page` of each kind."""
        ...

    def recount(self, window: timedelta, after: str, page: int) -> tuple[list[Finding], str | None]:
        """Compute counts and digests again from the rows of a page of batches with ids above `after`.

        Open batches, and closed ones that changed within `window`. Returns the last id too, None at the end.
        """
        ...

    def idle_open(self, idle: timedelta, after: str, limit: int) -> list[Roll]:
        """Return open batches unchanged for `idle`, with ids above `after`, in the order of their ids."""
        ...


class Wire(Protocol):
    """Turns facts into messages; the only port that knows the wire format."""

    def encode(self, facts: Sequence[Fact], now: datetime) -> list[Message]:
        """Return the messages, split by bytes where a fact is too large for one."""
        ...


class Publisher(Protocol):
    """The outbound bus."""

    def publish(self, messages: Sequence[Message]) -> list[UUID]:
        """Send the messages and return the ids of those that the bus took; one refusal holds up no other.

        May raise `PartlySentError` with these ids, to say why the others were refused.
        """
        ...


class DeadLetters(Protocol):
    """The dead-letter queue of the function's own queue."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Send original bodies with their reasons; return the message ids of those that the queue took."""
        ...


class Clock(Protocol):
    """The clock of this process: for housekeeping and measuring, never for a promise."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        ...
