"""Close overdue batches, announce arrivals that are parked for too long, delete data past its retention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.decision_step import Decision, DecisionStep
from els_core.domain.decisions import time_out
from els_core.domain.events import ParkedOverdue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.events import BatchClosed

PAGE = 100  # rows per transaction: short locks, bounded memory


@dataclass(slots=True)
class SweepResult:
    """What one sweep did; `overdue_parked` and `purged` count batches."""

    closed: list[BatchClosed] = field(default_factory=list)
    overdue_parked: int = 0
    purged: int = 0
    published: list[PublishResult] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExpireBatches:
    """The sweep. Sweeps may overlap or run twice: whoever holds a batch's row lock closes it."""

    post_commit: PostCommit
    encoder: EventEncoder
    parking: timedelta
    retention: timedelta

    def run(self, may_continue: Callable[[], bool]) -> SweepResult:
        """Sweep page by page until nothing is left or `may_continue` says that time runs short."""
        result = SweepResult()
        for sweep_page in (self._close_overdue, self._announce_parked, self._purge):
            while may_continue() and sweep_page(result):
                pass
        return result

    def _close_overdue(self, result: SweepResult) -> bool:
        def work(transaction: Transaction) -> Decision:
            now, batches = transaction.overdue(PAGE)
            changes = [time_out(batch) for batch in batches]
            return DecisionStep(transaction, self.encoder).record_and_enqueue(changes, changes, now)

        decision = self.post_commit.repository.transact(work)
        result.closed.extend(decision.closed)
        return self._publish(result, decision, len(decision.closed))

    def _announce_parked(self, result: SweepResult) -> bool:
        def work(transaction: Transaction) -> tuple[int, Decision]:
            now, found = transaction.overdue_parked(self.parking, PAGE)
            events = [
                ParkedOverdue(batch.batch_id, batch.version, tuple(arrivals), arrivals[0].correlation_id)
                for batch, rows in found
                if (arrivals := [row.arrival for row in rows if row.arrival is not None])
            ]
            return len(found), DecisionStep(transaction, self.encoder).record_and_enqueue((), (), now, events)

        count, decision = self.post_commit.repository.transact(work)
        result.overdue_parked += count
        return self._publish(result, decision, count)

    def _purge(self, result: SweepResult) -> bool:
        purged = self.post_commit.repository.purge(self.retention, PAGE)
        result.purged += purged
        return purged == PAGE

    def _publish(self, result: SweepResult, decision: Decision, rows: int) -> bool:
        """Run what follows the commit of a page and tell whether another page may follow."""
        if rows:
            result.published.append(self.post_commit.run(decision.snapshots.values(), decision.messages))
        return rows == PAGE
