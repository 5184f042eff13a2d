"""Close what nobody touches: overdue batches, overdue parked arrivals, and data past their retention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.settling import Settled, Settling
from els_core.domain.deciding import time_out
from els_core.domain.events import ParkedOverdue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from els_core.application.delivering import Delivered, Delivery
    from els_core.application.ports import Unit, Wire
    from els_core.domain.events import BatchClosed

PAGE = 100  # rows per transaction: short locks, bounded memory


@dataclass(slots=True)
class Expired:
    """What one sweep did; `overdue_parked` and `purged` count batches."""

    closed: list[BatchClosed] = field(default_factory=list)
    overdue_parked: int = 0
    purged: int = 0
    delivered: list[Delivered] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExpireBatches:
    """Sweeps may overlap or be doubled: a row is closed by whoever holds its lock."""

    delivery: Delivery
    wire: Wire
    parking: timedelta
    retention: timedelta

    def __call__(self, may_continue: Callable[[], bool]) -> Expired:
        """Sweep page by page until nothing is left or `may_continue` says that time runs short."""
        expired = Expired()
        for sweep in (self._close, self._announce_parked, self._purge):
            while may_continue() and sweep(expired):
                pass
        return expired

    def _close(self, expired: Expired) -> bool:
        def work(unit: Unit) -> Settled:
            now, batches = unit.overdue(PAGE)
            changes = [time_out(batch) for batch in batches]
            return Settling(unit, self.wire).conclude(changes, changes, now)

        settled = self.delivery.repository.transact(work)
        expired.closed.extend(settled.closed)
        return self._deliver(expired, settled, len(settled.closed))

    def _announce_parked(self, expired: Expired) -> bool:
        def work(unit: Unit) -> tuple[int, Settled]:
            now, found = unit.overdue_parked(self.parking, PAGE)
            facts = [
                ParkedOverdue(batch.batch_id, batch.version, tuple(arrivals), arrivals[0].correlation_id)
                for batch, rows in found
                if (arrivals := [row.arrival for row in rows if row.arrival is not None])
            ]
            return len(found), Settling(unit, self.wire).conclude((), (), now, facts)

        count, settled = self.delivery.repository.transact(work)
        expired.overdue_parked += count
        return self._deliver(expired, settled, count)

    def _purge(self, expired: Expired) -> bool:
        purged = self.delivery.repository.purge(self.retention, PAGE)
        expired.purged += purged
        return purged == PAGE

    def _deliver(self, expired: Expired, settled: Settled, rows: int) -> bool:
        """Deliver a page and tell whether another may follow."""
        if rows:
            expired.delivered.append(self.delivery.deliver(settled.rolls.values(), settled.messages))
        return rows == PAGE
