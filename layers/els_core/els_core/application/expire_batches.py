"""Close overdue batches, announce arrivals that are parked for too long, delete data past its retention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.budgets import MAX_SLOTS
from els_core.application.decision_step import Decision, DecisionStep
from els_core.application.ports.repository import DeadlinePosition
from els_core.domain.decisions import time_out
from els_core.domain.errors import CoordinationTimeoutError, FaultError
from els_core.domain.events import ParkedOverdue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from els_core.application.budgets import MayContinue
    from els_core.application.decision_step import ClosedBatch
    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.batches import Batch

PARKED_PAGE = 2_000  # parked arrivals per transaction: the most of one batch


@dataclass(slots=True)
class SweepResult:
    """What one sweep did; `overdue_parked` and `purged` count batches. `faults` are what pages met."""

    closed: list[ClosedBatch] = field(default_factory=list)
    overdue_parked: int = 0
    purged: int = 0
    published: list[PublishResult] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    @property
    def did_nothing(self) -> bool:
        """Tell whether no page was committed that held anything."""
        return not (self.closed or self.overdue_parked or self.purged)


@dataclass(frozen=True, slots=True)
class ExpireBatches:
    """The sweep. Sweeps may overlap or run twice: whoever holds a batch's row lock closes it.

    The three jobs take turns, a page each, so that a backlog of one never starves the others.
    """

    post_commit: PostCommit
    encoder: EventEncoder
    parking: timedelta
    retention: timedelta
    max_slots: int = MAX_SLOTS

    def run(self, may_continue: MayContinue) -> SweepResult:
        """Sweep page by page until nothing is left or `may_continue` says that time runs short.

        A page that fails is repeated batch by batch, and a batch that fails is passed over. A store that is
        down ends the sweep; its fault is raised when nothing was done before. A sweep that had no store, or
        no time at all, does not count as run.
        """
        result = SweepResult()
        closing = _Closing(self, result, may_continue)
        jobs: list[Callable[[], bool]] = [
            closing.page,
            lambda: self._announce_parked(result, may_continue),
            lambda: self._purge(result),
        ]
        if not may_continue():
            return result
        try:
            while jobs and may_continue():
                jobs = [job for job in jobs if may_continue() and self._has_more(job, result)]
            self.post_commit.repository.note_run("expire_batches")
        except FaultError as fault:
            if result.did_nothing:
                raise
            result.faults.append(fault)
        return result

    def _has_more(self, job: Callable[[], bool], result: SweepResult) -> bool:
        """Do one page of a job; end the job when it fails."""
        try:
            return job()
        except Exception as fault:
            if not _may_be_of_one_batch(fault):
                raise
            result.faults.append(fault)
            return False

    def _announce_parked(self, result: SweepResult, may_continue: MayContinue) -> bool:
        def work(transaction: Transaction) -> tuple[int, int, Decision]:
            now, found = transaction.overdue_parked(self.parking, PARKED_PAGE)
            events = [
                ParkedOverdue(
                    batch.batch_id, batch.epoch, batch.version, tuple(arrivals), arrivals[0].correlation_id
                )
                for batch, rows in found
                if (arrivals := [row.arrival for row in rows if row.arrival is not None])
            ]
            step = DecisionStep(transaction, self.encoder)
            marked = sum(len(rows) for _, rows in found)
            return len(found), marked, step.record_and_enqueue((), None, now, events)

        count, marked, decision = self.post_commit.repository.transact(work)
        result.overdue_parked += count
        if count:
            result.published.append(self.post_commit.run(decision, may_continue))
        return marked > 0

    def _purge(self, result: SweepResult) -> bool:
        purged = self.post_commit.repository.purge(self.retention, self.max_slots)
        result.purged += purged
        return purged > 0


@dataclass(slots=True)
class _Closing:
    """Closes overdue batches page by page, in order of their deadlines."""

    sweep: ExpireBatches
    result: SweepResult
    may_continue: MayContinue
    after: DeadlinePosition | None = None
    is_careful: bool = False  # one batch at a time, after a page has failed
    tried: list[Batch] = field(default_factory=list)

    def page(self) -> bool:
        """Close a page; return whether another one may follow."""
        try:
            decision = self.sweep.post_commit.repository.transact(self._work)
        except Exception as fault:
            if not self.tried or not _may_be_of_one_batch(fault):
                raise
            self.result.faults.append(fault)
            if self.is_careful:
                self._pass_over()
            self.is_careful = True
            return True
        self._pass_over()
        self.result.closed.extend(decision.closed)
        if decision.closed:
            self.result.published.append(self.sweep.post_commit.run(decision, self.may_continue))
        return bool(self.tried)

    def _work(self, transaction: Transaction) -> Decision:
        self.tried = []
        now, self.tried = transaction.overdue(self.after, 1 if self.is_careful else self.sweep.max_slots)
        step = DecisionStep(transaction, self.sweep.encoder, self.sweep.max_slots)
        return step.record_and_enqueue([time_out(batch) for batch in self.tried], None, now)

    def _pass_over(self) -> None:
        """Begin the next page behind the last batch that was tried."""
        if self.tried and self.tried[-1].deadline is not None:
            self.after = DeadlinePosition(self.tried[-1].deadline, self.tried[-1].batch_id)


def _may_be_of_one_batch(fault: Exception) -> bool:
    """Tell whether the sweep is worth continuing with other batches: no store is down."""
    if isinstance(fault, FaultError):
        return fault.is_isolatable or isinstance(fault, CoordinationTimeoutError)
    return True
