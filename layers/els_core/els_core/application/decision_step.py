"""The step that all writing use cases share: decide, record and enqueue in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.budgets import MAX_SLOTS
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.domain.announcements import batch_closed, domain_events_of
from els_core.domain.arrivals import key_of
from els_core.domain.decisions import coordinator_is_current, decide, is_race_lost
from els_core.domain.errors import RejectedByStoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch
    from els_core.domain.decisions import BatchChange, LockedView
    from els_core.domain.events import DomainEvent, OutboxMessage
    from els_core.domain.outcomes import Outcome, Proposal


@dataclass(frozen=True, slots=True)
class StoreRejection:
    """Postgres rejects this item's data and always will, so it belongs in the dead-letter queue."""

    reason: str


@dataclass(frozen=True, slots=True)
class ClosedBatch:
    """A batch that got its final result, and the correlation id of its registration."""

    batch: Batch
    correlation_id: str


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """Locked batches, distinct arrivals for them, and what Redis proposed for each arrival.

    `proposals` is None when Redis was not asked; then every batch is refreshed in Redis. `events` are
    announced in the same transaction. `view` is what was read under the locks, if it was read already.
    """

    batches: Mapping[str, Batch]
    arrivals: Sequence[Arrival] = ()
    proposals: Mapping[ArrivalKey, Proposal] | None = None
    events: Sequence[DomainEvent] = ()
    view: LockedView | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What one transaction decided.

    `batches` are the rows as they stand now, and `messages` the outbox rows to publish. Redis is to be
    refreshed with `updates`, and with the batches of `refresh_later`, which did not fit into the
    transaction's budget. The arrivals of the batches in `deferred` were not decided: closing these would have
    exceeded it. `races_lost` counts the arrivals for which Postgres gave another slot than Redis proposed,
    `rebuilt` the batches that Redis had forgotten or had wrong.
    """

    outcomes: Mapping[ArrivalKey, Outcome | StoreRejection] = field(default_factory=dict)
    batches: Mapping[str, Batch] = field(default_factory=dict)
    closed: Sequence[ClosedBatch] = ()
    updates: Sequence[CoordinatorUpdate] = ()
    refresh_later: Sequence[str] = ()
    messages: Sequence[OutboxMessage] = ()
    deferred: frozenset[str] = frozenset()
    races_lost: int = 0
    rebuilt: int = 0

    @classmethod
    def merged(cls, decisions: Sequence[Decision]) -> Decision:
        """Return one decision for several, in order: a later row replaces an earlier one."""
        return cls(
            {key: outcome for decision in decisions for key, outcome in decision.outcomes.items()},
            {batch_id: batch for decision in decisions for batch_id, batch in decision.batches.items()},
            [closed for decision in decisions for closed in decision.closed],
            [update for decision in decisions for update in decision.updates],
            [batch_id for decision in decisions for batch_id in decision.refresh_later],
            [message for decision in decisions for message in decision.messages],
            frozenset().union(*(decision.deferred for decision in decisions)),
            sum(decision.races_lost for decision in decisions),
            sum(decision.rebuilt for decision in decisions),
        )


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """Decides inside one transaction. Returns new values; changes none of its arguments.

    Reads at most `max_slots` slots of batches that it closes or refreshes, but at least one batch.
    """

    transaction: Transaction
    encoder: EventEncoder
    max_slots: int = MAX_SLOTS

    def decide_together(self, given: DecisionInput) -> Decision:
        """Decide all arrivals in bulk.

        Raises `RejectedByStoreError` when Postgres rejects the data of at least one of them.
        """
        grouped: dict[str, list[Arrival]] = {batch_id: [] for batch_id in given.batches}
        for arrival in given.arrivals:
            grouped[arrival.batch_id].append(arrival)
        hints = given.proposals or {}
        ordered = [arrival for group in grouped.values() for arrival in group]
        view = given.view or self.transaction.locked_view(ordered, hints)
        changes = [decide(given.batches[batch_id], group, hints, view) for batch_id, group in grouped.items()]
        return self.record_and_enqueue(changes, given.proposals, view.now, given.events)

    def decide_in_halves(self, given: DecisionInput) -> Decision:
        """Decide in savepoints, in halves of halves, until each arrival that Postgres rejects is alone."""
        announced = self.decide_together(DecisionInput(given.batches, (), given.proposals, given.events))
        batches = {**given.batches, **announced.batches}
        decisions = self._halve(batches, given.arrivals, given.proposals) if given.arrivals else []
        return Decision.merged([announced, *decisions])

    def _halve(
        self,
        batches: Mapping[str, Batch],
        arrivals: Sequence[Arrival],
        proposals: Mapping[ArrivalKey, Proposal] | None,
    ) -> list[Decision]:
        touched = {arrival.batch_id: batches[arrival.batch_id] for arrival in arrivals}
        try:
            with self.transaction.savepoint():
                return [self.decide_together(DecisionInput(touched, arrivals, proposals))]
        except RejectedByStoreError as fault:
            if len(arrivals) == 1:
                return [Decision({key_of(arrivals[0]): StoreRejection(fault.details)})]
        middle = len(arrivals) // 2
        first = self._halve(batches, arrivals[:middle], proposals)
        current = {**batches, **Decision.merged(first).batches}
        return [*first, *self._halve(current, arrivals[middle:], proposals)]

    def record_and_enqueue(
        self,
        changes: Sequence[BatchChange],
        proposals: Mapping[ArrivalKey, Proposal] | None,
        now: datetime,
        events: Sequence[DomainEvent] = (),
    ) -> Decision:
        """Write the changes, put their events into the outbox, read the batches that Redis has outdated."""
        kept, deferred = self._within_budget(changes)
        written = [change for change in kept if change.after != change.before]
        if written:
            self.transaction.record(written)
        closing = {change.after.batch_id: change for change in written if change.closes}
        outdated = {c.after.batch_id: c for c in kept if not _is_current(c, proposals)} | closing
        fitting = self._fitting(list(outdated.values()), len(closing))
        snapshots = self.transaction.snapshots(fitting) if fitting else []
        results = [
            batch_closed(found, closing[id_])
            for found in snapshots
            if (id_ := found.batch.batch_id) in closing
        ]
        announced = [*events, *(event for change in written for event in domain_events_of(change)), *results]
        encoded = self.encoder.encode(announced, now) if announced else []
        lies = _impossible_versions(kept, proposals)
        outcomes = {key_of(arrival): outcome for change in kept for arrival, outcome in change.decided}
        return Decision(
            outcomes,
            {change.after.batch_id: change.after for change in kept},
            [ClosedBatch(result.snapshot.batch, result.correlation_id) for result in results],
            [CoordinatorUpdate(found, lies.get(found.batch.batch_id)) for found in snapshots],
            [batch_id for batch_id in outdated if batch_id not in set(fitting)],
            self.transaction.enqueue(encoded) if encoded else [],
            deferred,
            _races_lost(outcomes, proposals or {}),
            sum(1 for change in outdated.values() if proposals is not None and _keeps_status(change)),
        )

    def _within_budget(self, changes: Sequence[BatchChange]) -> tuple[list[BatchChange], frozenset[str]]:
        """Keep changes until those that close a batch exceed the budget; return the ids of the others too."""
        kept: list[BatchChange] = []
        deferred: set[str] = set()
        slots = 0
        for change in changes:
            cost = change.after.expected_count if change.closes else 0
            if cost and slots and slots + cost > self.max_slots:
                deferred.add(change.before.batch_id)
            else:
                kept.append(change)
                slots += cost
        return kept, frozenset(deferred)

    def _fitting(self, outdated: Sequence[BatchChange], closing: int) -> list[str]:
        """Return the batches to read now: all that close, which fit already, and others while they fit."""
        ordered = sorted(outdated, key=lambda change: not change.closes)
        fitting: list[str] = []
        slots = 0
        for position, change in enumerate(ordered):
            slots += change.after.expected_count
            if position < closing or not fitting or slots <= self.max_slots:
                fitting.append(change.after.batch_id)
        return fitting


def _is_current(change: BatchChange, proposals: Mapping[ArrivalKey, Proposal] | None) -> bool:
    """Tell whether Redis was asked and every proposal for the batch agrees with its decision."""
    return proposals is not None and all(
        coordinator_is_current(change, outcome, proposals[key_of(arrival)])
        for arrival, outcome in change.decided
    )


def _keeps_status(change: BatchChange) -> bool:
    return change.before.status == change.after.status


def _races_lost(outcomes: Mapping[ArrivalKey, Outcome], proposals: Mapping[ArrivalKey, Proposal]) -> int:
    return sum(
        key in proposals and is_race_lost(outcome, proposals[key]) for key, outcome in outcomes.items()
    )


def _impossible_versions(
    changes: Sequence[BatchChange], proposals: Mapping[ArrivalKey, Proposal] | None
) -> dict[str, int]:
    """Return the versions that Redis claimed before the lock and that are greater than the locked row's."""
    return {
        change.before.batch_id: version
        for change in changes
        for arrival, _ in change.decided
        if proposals and (version := proposals[key_of(arrival)].version or 0) > change.before.version
    }
