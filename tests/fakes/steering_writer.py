"""Writes what comes before the decisions of a change, as the SQL statements do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.domain.outcomes import Superseded
from tests.fakes.rows import EssayRow, SlotStatus, SupersededRow

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.decisions import BatchChange
    from tests.fakes.rows import Database
    from tests.fakes.tables import TableTransaction


class SteeringWriter:
    """Supersedes arrivals, adds and withdraws slots, takes excess contents in."""

    def __init__(self, database: Database, transaction: TableTransaction) -> None:
        self._database = database
        self._transaction = transaction
        self.more_slots = 0

    def write(self, change: BatchChange) -> Counter[SlotStatus]:
        """Write what the change needs before its decisions; return the slots that are freed, as negatives."""
        freed: Counter[SlotStatus] = Counter()
        batch_id = change.after.batch_id
        now = {one.identity: one for one, outcome in change.decided if isinstance(outcome, Superseded)}
        for one in change.superseded:
            row = SupersededRow(now.get(one.identity), None, one.by_identity, one.by_command)
            freed.subtract(self._supersede((batch_id, one.identity), row))
        for identity in now.keys() - {one.identity for one in change.superseded}:
            freed.subtract(self._supersede((batch_id, identity), SupersededRow(now[identity], by_command="")))
        for essay_id in change.withdrawn:
            self._move((batch_id, essay_id), SlotStatus.AVAILABLE, SlotStatus.WITHDRAWN, -1)
        for essay_id in change.added:
            key = (batch_id, essay_id)
            if self._database.essays.insert(key, EssayRow(batch_id, essay_id), self._transaction):
                self.more_slots += 1
            else:
                self._move(key, SlotStatus.WITHDRAWN, SlotStatus.AVAILABLE, 1)
        for identity in change.taken_in:
            self._database.excess.delete((batch_id, identity), self._transaction)
        return freed

    def _move(self, key: ArrivalKey, before: SlotStatus, after: SlotStatus, count: int) -> None:
        def change(row: EssayRow) -> EssayRow | None:
            return replace(row, status=after) if row.status is before else None

        if self._database.essays.update(key, change, self._transaction):
            self.more_slots += count

    def _supersede(self, key: ArrivalKey, row: SupersededRow) -> list[SlotStatus]:
        """Keep the arrival as superseded; return the former status of the slot that it had, if any."""
        freed = self._free(key)
        found = row.arrival or self._removed(key) or (freed[0].content if freed else None)
        essay_id = freed[0].essay_id if freed else None
        kept = replace(row, arrival=found, essay_id=essay_id)
        if not self._database.superseded.insert(key, kept, self._transaction):

            def come(old: SupersededRow) -> SupersededRow | None:
                return replace(old, arrival=found) if old.arrival is None and found else None

            self._database.superseded.update(key, come, self._transaction)
        return [slot.status for slot in freed]

    def _free(self, key: ArrivalKey) -> list[EssayRow]:
        batch_id, identity = key
        held = [
            slot
            for slot in self._database.essays.rows(self._transaction).values()
            if slot.batch_id == batch_id
            and (slot.failure_identity == identity or (slot.content and slot.content.identity == identity))
        ]
        for slot in held:
            self._database.essays.update((batch_id, slot.essay_id), _freed, self._transaction)
        return held

    def _removed(self, key: ArrivalKey) -> Arrival | None:
        """Remove an arrival from where it was recorded, and return it."""
        failure = self._database.failures.current(key, self._transaction)
        excess = self._database.excess.current(key, self._transaction)
        parked = self._database.parked.current(key, self._transaction)
        for table in (self._database.failures, self._database.excess, self._database.parked):
            table.delete(key, self._transaction)
        if failure:
            return failure.failure
        return excess.content if excess else parked.arrival if parked else None


def _freed(row: EssayRow) -> EssayRow:
    return EssayRow(row.batch_id, row.essay_id)
