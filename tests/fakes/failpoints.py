"""Failpoints: a fault injector decides about each call of a port; it may kill the process or lose the answer.

Works on fakes and on real stores alike. Each statement of a transaction is a failpoint too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from uuid import UUID

    from els_core.application.budgets import MayContinue
    from els_core.application.commands import CommandRequest, KeptCommand
    from els_core.application.messages import DeadLetter
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator, CoordinatorUpdate
    from els_core.application.ports.messaging import DeadLetterQueue, Publisher
    from els_core.application.ports.repository import (
        DeadlinePosition,
        ParkedArrival,
        Repository,
        Transaction,
    )
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import AssignedSlot, Batch, BatchSnapshot, Registration
    from els_core.domain.commands import CommandAnswer
    from els_core.domain.decisions import BatchChange, LockedView
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Proposal
    from els_core.domain.reopening import Standby


@dataclass(frozen=True, slots=True)
class Failpoint:
    """A call of a port. `service` is what fails when the call fails; it is empty for the clock."""

    service: str
    call: str
    is_in_transaction: bool = False


class FaultInjector(Protocol):
    """Decides what happens at a failpoint."""

    def run[T](self, failpoint: Failpoint, call: Callable[[], T]) -> T:
        """Make the call and return its answer, or inject a fault instead."""
        ...


class FailpointCoordinator:
    """The port `Coordinator` with a failpoint at each call."""

    def __init__(self, inner: Coordinator, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        return self._injector.run(Failpoint("Redis", "propose"), lambda: self._inner.propose(arrivals, now))

    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        self._injector.run(Failpoint("Redis", "install"), lambda: self._inner.install(updates, now))

    def get_assigned_count(self, batch_id: str) -> int:
        return self._inner.get_assigned_count(batch_id)

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        return self._inner.get_assigned_essays(batch_id)

    def get_missing_slots(self, batch_id: str) -> list[str]:
        return self._inner.get_missing_slots(batch_id)


class FailpointRepository:
    """The port `Repository` with a failpoint at each call."""

    def __init__(self, inner: Repository, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def transact[T](self, work: Callable[[Transaction], T]) -> T:
        def with_failpoints(transaction: Transaction) -> T:
            return work(FailpointTransaction(transaction, self._injector))

        return self._run("transact", lambda: self._inner.transact(with_failpoints))

    def delete_sent(self, positions: Sequence[int]) -> list[timedelta]:
        return self._run("delete_sent", lambda: self._inner.delete_sent(positions))

    def unsent(
        self, older_than: timedelta, after: int, max_bytes: int, *, is_final: bool
    ) -> list[OutboxMessage]:
        return self._run(
            "unsent", lambda: self._inner.unsent(older_than, after, max_bytes, is_final=is_final)
        )

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        return self._run("snapshots", lambda: self._inner.snapshots(batch_ids))

    def purge(self, age: timedelta, max_slots: int) -> int:
        return self._run("purge", lambda: self._inner.purge(age, max_slots))

    def note_run(self, job: str) -> None:
        self._run("note_run", lambda: self._inner.note_run(job))

    def _run[T](self, call: str, work: Callable[[], T]) -> T:
        return self._injector.run(Failpoint("Postgres", call), work)


class FailpointTransaction:
    """The port `Transaction` with a failpoint at each call."""

    def __init__(self, inner: Transaction, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> dict[str, Batch]:
        return self._run("lock", lambda: self._inner.lock(batch_ids, only_known=only_known))

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        return self._run("locked_view", lambda: self._inner.locked_view(arrivals, proposals))

    def lock_and_view(
        self,
        batch_ids: Sequence[str],
        arrivals: Sequence[Arrival],
        proposals: Mapping[ArrivalKey, Proposal],
    ) -> tuple[dict[str, Batch], LockedView]:
        return self.lock(batch_ids), self.locked_view(arrivals, proposals)

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        return self._run("open", lambda: self._inner.open(registrations))

    def parked(self, batch_ids: Sequence[str], limit: int) -> list[ParkedArrival]:
        return self._run("parked", lambda: self._inner.parked(batch_ids, limit))

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        self._run("unpark", lambda: self._inner.unpark(keys))

    def record(self, changes: Sequence[BatchChange]) -> None:
        self._run("record", lambda: self._inner.record(changes))

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        return self._run("snapshots", lambda: self._inner.snapshots(batch_ids))

    def enqueue(self, messages: Sequence[OutboxMessage]) -> Sequence[OutboxMessage]:
        return self._run("enqueue", lambda: self._inner.enqueue(messages))

    def announce_again(self, batch_id: str, epoch: int) -> OutboxMessage | None:
        return self._run("announce_again", lambda: self._inner.announce_again(batch_id, epoch))

    def keep_result(self, message: OutboxMessage) -> None:
        self._run("keep_result", lambda: self._inner.keep_result(message))

    def standby(self, batch_id: str, limit: int) -> Standby:
        return self._run("standby", lambda: self._inner.standby(batch_id, limit))

    def keep_rejected(self, registrations: Sequence[Registration]) -> None:
        self._run("keep_rejected", lambda: self._inner.keep_rejected(registrations))

    def command(self, batch_id: str, command_id: str) -> KeptCommand | None:
        return self._run("command", lambda: self._inner.command(batch_id, command_id))

    def keep_command(self, request: CommandRequest, answer: CommandAnswer) -> None:
        self._run("keep_command", lambda: self._inner.keep_command(request, answer))

    def overdue(self, after: DeadlinePosition | None, max_slots: int) -> tuple[datetime, list[Batch]]:
        return self._run("overdue", lambda: self._inner.overdue(after, max_slots))

    def overdue_parked(
        self, waited: timedelta, limit: int
    ) -> tuple[datetime, list[tuple[Batch, list[ParkedArrival]]]]:
        return self._run("overdue_parked", lambda: self._inner.overdue_parked(waited, limit))

    def savepoint(self) -> AbstractContextManager[None]:
        return self._inner.savepoint()

    def _run[T](self, call: str, work: Callable[[], T]) -> T:
        return self._injector.run(Failpoint("Postgres", call, is_in_transaction=True), work)


class FailpointPublisher:
    """The port `Publisher` with a failpoint at each call."""

    def __init__(self, inner: Publisher, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def publish(self, messages: Sequence[OutboxMessage], may_continue: MayContinue) -> list[UUID]:
        return self._injector.run(
            Failpoint("EventBridge", "publish"), lambda: self._inner.publish(messages, may_continue)
        )


class FailpointDeadLetterQueue:
    """The port `DeadLetterQueue` with a failpoint at each call."""

    def __init__(self, inner: DeadLetterQueue, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        return self._injector.run(Failpoint("SQS", "send"), lambda: self._inner.send(letters))


class FailpointClock:
    """The port `Clock` with a failpoint at each call."""

    def __init__(self, inner: Clock, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def now(self) -> datetime:
        return self._injector.run(Failpoint("", "now"), self._inner.now)


class NoFaults:
    """Makes every call and injects nothing."""

    def run[T](self, failpoint: Failpoint, call: Callable[[], T]) -> T:
        del failpoint
        return call()
