"""The ports of one process behind a gate that every call passes: there it may die, or lose the answer.

Works on fakes and on real stores alike. A unit of work has a gate for each of its statements too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from uuid import UUID

    from els_core.application.messages import DeadLetter
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator
    from els_core.application.ports.messaging import DeadLetterQueue, Publisher
    from els_core.application.ports.repository import ParkedArrival, Repository, Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import AssignedSlot, Batch, BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange, LockedView
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Proposal


@dataclass(frozen=True, slots=True)
class Point:
    """A call of a port: `service` is what fails when the call does, empty for the clock."""

    service: str
    call: str
    is_in_transaction: bool = False


class Gate(Protocol):
    """Lets a call through, or not, or twice."""

    def let[T](self, point: Point, call: Callable[[], T]) -> T:
        """Return the call's answer, or raise what the process is to see instead."""
        ...


class GatedCoordinator:
    """The port `Coordinator` behind a gate."""

    def __init__(self, inner: Coordinator, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        return self._gate.let(Point("Redis", "propose"), lambda: self._inner.propose(arrivals, now))

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        self._gate.let(Point("Redis", "install"), lambda: self._inner.install(snapshots, now))

    def get_assigned_count(self, batch_id: str) -> int:
        return self._inner.get_assigned_count(batch_id)

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        return self._inner.get_assigned_essays(batch_id)

    def get_missing_slots(self, batch_id: str) -> list[str]:
        return self._inner.get_missing_slots(batch_id)


class GatedRepository:
    """The port `Repository` behind a gate."""

    def __init__(self, inner: Repository, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        return self._let(
            "transact",
            lambda: self._inner.transact(lambda transaction: work(GatedUnit(transaction, self._gate))),
        )

    def delete_sent(self, event_ids: Sequence[UUID]) -> None:
        self._let("delete_sent", lambda: self._inner.delete_sent(event_ids))

    def unsent(self, older_than: timedelta, after: int, limit: int) -> list[tuple[int, OutboxMessage]]:
        return self._let("unsent", lambda: self._inner.unsent(older_than, after, limit))

    def purge(self, age: timedelta, limit: int) -> int:
        return self._let("purge", lambda: self._inner.purge(age, limit))

    def find(self, batch_id: str) -> tuple[BatchSnapshot, datetime] | None:
        return self._let("find", lambda: self._inner.find(batch_id))

    def _let[T](self, call: str, work: Callable[[], T]) -> T:
        return self._gate.let(Point("Postgres", call), work)


class GatedUnit:
    """The port `Transaction` behind a gate."""

    def __init__(self, inner: Transaction, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        return self._let("lock", lambda: self._inner.lock(batch_ids))

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        return self._let("locked_view", lambda: self._inner.locked_view(arrivals, proposals))

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        return self._let("open", lambda: self._inner.open(registrations))

    def parked(self, batch_ids: Sequence[str]) -> list[ParkedArrival]:
        return self._let("parked", lambda: self._inner.parked(batch_ids))

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        self._let("unpark", lambda: self._inner.unpark(keys))

    def record(self, changes: Sequence[BatchChange]) -> None:
        self._let("record", lambda: self._inner.record(changes))

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        return self._let("snapshots", lambda: self._inner.snapshots(batch_ids))

    def enqueue(self, messages: Sequence[OutboxMessage]) -> None:
        self._let("enqueue", lambda: self._inner.enqueue(messages))

    def overdue(self, limit: int) -> tuple[datetime, list[Batch]]:
        return self._let("overdue", lambda: self._inner.overdue(limit))

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        return self._let("overdue_parked", lambda: self._inner.overdue_parked(waited, limit))

    def savepoint(self) -> AbstractContextManager[None]:
        return self._inner.savepoint()

    def _let[T](self, call: str, work: Callable[[], T]) -> T:
        return self._gate.let(Point("Postgres", call, is_in_transaction=True), work)


class GatedPublisher:
    """The port `Publisher` behind a gate."""

    def __init__(self, inner: Publisher, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        return self._gate.let(Point("EventBridge", "publish"), lambda: self._inner.publish(messages))


class GatedDeadLetters:
    """The port `DeadLetterQueue` behind a gate."""

    def __init__(self, inner: DeadLetterQueue, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        return self._gate.let(Point("SQS", "send"), lambda: self._inner.send(letters))


class GatedClock:
    """The port `Clock` behind a gate."""

    def __init__(self, inner: Clock, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def now(self) -> datetime:
        return self._gate.let(Point("", "now"), self._inner.now)


class OpenGate:
    """Lets every call through."""

    def let[T](self, point: Point, call: Callable[[], T]) -> T:
        del point
        return call()
