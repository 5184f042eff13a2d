"""The port `Transaction` in memory: each method runs the statements that the real one sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.domain.arrivals import key_of
from els_core.domain.batches import Batch, Status
from els_core.domain.decisions import LockedView
from els_core.domain.errors import ProcessingError
from els_core.domain.outcomes import Assigned, Excess, Failed, Late, Superseded
from tests.fakes.decision_writer import DecisionWriter
from tests.fakes.rows import BatchRow, EssayRow, OutboxRow, SlotStatus
from tests.fakes.snapshots import snapshot_of
from tests.fakes.steering_statements import SteeringStatements
from tests.fakes.sweep_statements import SweepStatements, parked_arrival

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from els_core.application.ports.repository import ParkedArrival
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import BatchSnapshot, Registration
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import FinalOutcome, Proposal


class FakeTransaction(SteeringStatements, SweepStatements):
    """One transaction on the fake database."""

    def lock(self, batch_ids: Sequence[str], *, only_known: bool = False) -> dict[str, Batch]:
        if not only_known:
            self._insert_placeholders(batch_ids)
        return self._lock(batch_ids)

    def lock_and_view(
        self,
        batch_ids: Sequence[str],
        arrivals: Sequence[Arrival],
        proposals: Mapping[ArrivalKey, Proposal],
    ) -> tuple[dict[str, Batch], LockedView]:
        return self.lock(batch_ids), self.locked_view(arrivals, proposals)

    def _insert_placeholders(self, batch_ids: Sequence[str]) -> None:
        with self._transaction.statement("insert placeholder batches"):
            for batch_id in sorted(batch_ids):
                self._insert_awaited(batch_id)

    def _insert_awaited(self, batch_id: str) -> None:
        """Insert an awaited batch unless its row exists (ON CONFLICT DO NOTHING locks no existing row)."""
        batches = self._database.batches
        if batches.current(batch_id, self._transaction) is None:
            row = BatchRow(Batch(batch_id, Status.AWAITED, 0), self._clock.now())
            batches.insert(batch_id, row, self._transaction)

    def _lock(self, batch_ids: Sequence[str]) -> dict[str, Batch]:
        with self._transaction.statement("lock batches"):
            seen = self._database.batches.rows(self._transaction)
            locked = (
                self._database.batches.lock(batch_id, self._transaction)
                for batch_id in sorted(set(batch_ids) & set(seen))
            )
            return {row.batch.batch_id: row.batch for row in locked if row is not None}

    def locked_view(
        self, arrivals: Sequence[Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> LockedView:
        with self._transaction.statement("read the locked view"):
            names = self._names(arrivals)
            keys = {key_of(one) for one in arrivals} | {(key[0], name) for key, name in names.items()}
            first = {key: answer for key in keys if (answer := self._first_answer(key)) is not None}
            free: dict[str, Sequence[str]] = {}
            for batch_id in {arrival.batch_id for arrival in arrivals}:
                own = [key_of(arrival) for arrival in arrivals if arrival.batch_id == batch_id]
                wanted = [proposals[key].essay_id for key in own if key in proposals]
                needed = sum(key not in first for key in own)
                free[batch_id] = self._free(batch_id, wanted, needed)
            parked = self._database.parked.rows(self._transaction)
            awaited = [id_ for id_ in free if self._is_awaited(id_)]
            counts = {id_: sum(key[0] == id_ for key in parked) for id_ in awaited}
            parked_keys = {key for key in keys if key[0] in awaited} & set(parked)
            superseded = self._database.superseded.rows(self._transaction)
            barred = {key for key in keys if key in superseded and superseded[key].arrival is None}
            return LockedView(self._clock.now(), first, free, parked_keys, counts, barred, names)

    def _names(self, arrivals: Sequence[Arrival]) -> dict[ArrivalKey, str]:
        """Return what the arrivals name as superseded, and what of these names others in turn."""
        names = {key_of(one): one.supersedes for one in arrivals if one.supersedes}
        waiting = list(names)
        while waiting:
            key = waiting.pop()
            target = (key[0], names[key])
            stored = self._stored(target)
            if target not in names and stored is not None and stored.supersedes:
                names[target] = stored.supersedes
                waiting.append(target)
        return names

    def _stored(self, key: ArrivalKey) -> Arrival | None:
        excess = self._database.excess.rows(self._transaction).get(key)
        failure = self._database.failures.rows(self._transaction).get(key)
        return excess.content if excess else failure.failure if failure else None

    def _first_answer(self, key: ArrivalKey) -> FinalOutcome | None:
        superseded = self._database.superseded.rows(self._transaction).get(key)
        if superseded is not None:
            return Superseded() if superseded.arrival is not None else None
        return self._slot_of(key) or self._excess_of(key) or self._failure_of(key)

    def _failure_of(self, key: ArrivalKey) -> Failed | Late | None:
        row = self._database.failures.rows(self._transaction).get(key)
        if row is None:
            return None
        if row.essay_id is not None:
            return Failed(row.essay_id)
        if row.late_reason is None:
            raise LookupError(f"{key[1]} of batch {key[0]} has no slot and is not late")
        return Late(row.late_reason)

    def _slot_of(self, key: ArrivalKey) -> Assigned | None:
        for slot in self._database.essays.rows(self._transaction).values():
            if slot.content and key_of(slot.content) == key:
                return Assigned(slot.essay_id)
        return None

    def _excess_of(self, key: ArrivalKey) -> Excess | None:
        row = self._database.excess.rows(self._transaction).get(key)
        return Excess(row.reason) if row else None

    def _free(self, batch_id: str, wanted: Sequence[str | None], needed: int) -> list[str]:
        """Return the wanted slots that are available and, if there are too few of them, others too."""
        slots = self._database.essays.rows(self._transaction).values()
        available = [s.essay_id for s in slots if s.batch_id == batch_id and s.status is SlotStatus.AVAILABLE]
        proposed = [essay_id for essay_id in available if essay_id in wanted]
        return proposed + (sorted(available)[:needed] if needed > len(proposed) else [])

    def open(self, registrations: Sequence[Registration]) -> dict[str, Batch]:
        with self._transaction.statement("open batches"):
            opened = [batch for one in registrations if (batch := self._open(one)) is not None]
            return {batch.batch_id: batch for batch in opened}

    def _open(self, registration: Registration) -> Batch | None:
        now = self._clock.now()

        def change(row: BatchRow) -> BatchRow | None:
            if row.batch.status is not Status.AWAITED:
                return None
            batch = replace(
                row.batch,
                status=Status.OPEN,
                version=row.batch.version + 1,
                expected_count=len(registration.essay_ids),
                deadline=now + timedelta(seconds=registration.details.timeout_seconds),
                fingerprint=registration.fingerprint,
            )
            return BatchRow(batch, now, registration.details)

        batch_id = registration.batch_id
        if not self._database.batches.update(batch_id, change, self._transaction):
            return None
        for essay_id in registration.essay_ids:
            row = EssayRow(batch_id, essay_id)
            self._database.essays.insert_new((batch_id, essay_id), row, self._transaction)
        opened = self._database.batches.current(batch_id, self._transaction)
        return opened.batch if opened else None

    def parked(self, batch_ids: Sequence[str], limit: int) -> list[ParkedArrival]:
        with self._transaction.statement("read parked arrivals"):
            rows = self._database.parked.rows(self._transaction).values()
            wanted = [row for row in rows if row.arrival.batch_id in batch_ids]
            wanted.sort(key=lambda row: (row.arrival.batch_id, row.position))
            return [parked_arrival(row) for row in wanted[:limit]]

    def unpark(self, keys: Sequence[ArrivalKey]) -> None:
        with self._transaction.statement("remove parked arrivals"):
            for key in keys:
                self._database.parked.delete(key, self._transaction)

    def record(self, changes: Sequence[BatchChange]) -> None:
        with self._transaction.statement("record decisions"):
            writer = DecisionWriter(self._database, self._transaction)
            written = sum(writer.write(change) for change in changes)
        if written != len(changes):
            raise ProcessingError("record decisions", service="Postgres", details=f"{written} as locked")

    def snapshots(self, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        with self._transaction.statement("read batches"):
            rows = self._database.batches.rows(self._transaction)
            return [
                self._snapshot(rows[batch_id]) for batch_id in dict.fromkeys(batch_ids) if batch_id in rows
            ]

    def _snapshot(self, row: BatchRow) -> BatchSnapshot:
        essays = self._database.essays.rows(self._transaction).values()
        failures = self._database.failures.rows(self._transaction).values()
        before = (row.batch.batch_id, str(row.batch.epoch - 1))
        epoch = self._database.epochs.rows(self._transaction).get(before)
        return snapshot_of(row, essays, failures, epoch.message.event_id if epoch else None)

    def enqueue(self, messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
        with self._transaction.statement("fill the outbox"):
            return [sent for message in messages if (sent := self._enqueue(message)) is not None]

    def _enqueue(self, message: OutboxMessage) -> OutboxMessage | None:
        if message.is_final:
            self._keep(message)
        row = OutboxRow(message, self._database.next_position(), self._clock.now())
        if not self._database.outbox.insert(str(message.event_id), row, self._transaction):
            return None
        return replace(message, position=row.position)

    def savepoint(self) -> AbstractContextManager[None]:
        return self._transaction.savepoint()
