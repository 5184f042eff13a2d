"""The step that all writing use cases share: decide, record and enqueue in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from els_core.domain.arrivals import key_of
from els_core.domain.decisions import coordinator_is_current, decide
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.events import batch_closed, domain_events_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot
    from els_core.domain.decisions import BatchChange
    from els_core.domain.events import BatchClosed, DomainEvent, OutboxMessage
    from els_core.domain.outcomes import Outcome, Proposal


@dataclass(frozen=True, slots=True)
class StoreRejection:
    """Postgres rejects this item's data and always will, so it belongs in the dead-letter queue."""

    reason: str


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """Locked batches, distinct arrivals for them, and what Redis proposed for each arrival.

    `proposals` is None when Redis was not asked; then every batch is refreshed in Redis. `events` are
    announced in the same transaction.
    """

    batches: Mapping[str, Batch]
    arrivals: Sequence[Arrival] = ()
    proposals: Mapping[ArrivalKey, Proposal] | None = None
    events: Sequence[DomainEvent] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What one transaction decided.

    `batches` are the rows as they stand now, `snapshots` the batches that Redis must be refreshed with, and
    `messages` the outbox rows to publish.
    """

    outcomes: Mapping[ArrivalKey, Outcome | StoreRejection] = field(default_factory=dict)
    batches: Mapping[str, Batch] = field(default_factory=dict)
    closed: Sequence[BatchClosed] = ()
    snapshots: Mapping[str, BatchSnapshot] = field(default_factory=dict)
    messages: Sequence[OutboxMessage] = ()

    @classmethod
    def merged(cls, decisions: Sequence[Decision]) -> Decision:
        """Return one decision for several, in order: a later row or snapshot replaces an earlier one."""
        return cls(
            {key: outcome for decision in decisions for key, outcome in decision.outcomes.items()},
            {batch_id: batch for decision in decisions for batch_id, batch in decision.batches.items()},
            [closed for decision in decisions for closed in decision.closed],
            {batch_id: found for decision in decisions for batch_id, found in decision.snapshots.items()},
            [message for decision in decisions for message in decision.messages],
        )


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """Decides inside one transaction. Returns new values; changes none of its arguments."""

    transaction: Transaction
    encoder: EventEncoder

    def decide_together(self, given: DecisionInput) -> Decision:
        """Decide all arrivals in bulk.

        Raises `RejectedByStoreError` when Postgres rejects the data of at least one of them.
        """
        grouped: dict[str, list[Arrival]] = {batch_id: [] for batch_id in given.batches}
        for arrival in given.arrivals:
            grouped[arrival.batch_id].append(arrival)
        hints = given.proposals or {}
        ordered = [arrival for group in grouped.values() for arrival in group]
        view = self.transaction.locked_view(ordered, hints)
        changes = [decide(given.batches[batch_id], group, hints, view) for batch_id, group in grouped.items()]
        outdated = [change for change in changes if not _is_current(change, given.proposals)]
        return self.record_and_enqueue(changes, outdated, view.now, given.events)

    def decide_one_by_one(self, given: DecisionInput) -> Decision:
        """Decide the arrivals in savepoints of their own, so that one that Postgres rejects fails alone."""
        decisions = [self.decide_together(replace(given, arrivals=()))]
        batches = {**given.batches, **decisions[0].batches}
        for arrival in given.arrivals:
            decision = self._decide_alone(batches[arrival.batch_id], arrival, given.proposals)
            batches.update(decision.batches)
            decisions.append(decision)
        return Decision.merged(decisions)

    def _decide_alone(
        self, batch: Batch, arrival: Arrival, proposals: Mapping[ArrivalKey, Proposal] | None
    ) -> Decision:
        try:
            with self.transaction.savepoint():
                return self.decide_together(DecisionInput({batch.batch_id: batch}, (arrival,), proposals))
        except RejectedByStoreError as fault:
            return Decision({key_of(arrival): StoreRejection(fault.details)})

    def record_and_enqueue(
        self,
        changes: Sequence[BatchChange],
        outdated: Iterable[BatchChange],
        now: datetime,
        events: Sequence[DomainEvent] = (),
    ) -> Decision:
        """Write the changes, put their events into the outbox, read the batches that Redis has outdated."""
        written = [change for change in changes if change.after != change.before]
        if written:
            self.transaction.record(written)
        closing = [change.after.batch_id for change in written if change.closes]
        wanted = dict.fromkeys((*closing, *(change.after.batch_id for change in outdated)))
        found = self.transaction.snapshots(list(wanted)) if wanted else []
        snapshots = {snapshot.batch.batch_id: snapshot for snapshot in found}
        closed = [batch_closed(snapshots[batch_id]) for batch_id in closing]
        announced = [*events, *(event for change in written for event in domain_events_of(change)), *closed]
        messages = self.encoder.encode(announced, now) if announced else []
        if messages:
            self.transaction.enqueue(messages)
        return Decision(
            {key_of(arrival): outcome for change in changes for arrival, outcome in change.decided},
            {change.after.batch_id: change.after for change in changes},
            closed,
            snapshots,
            messages,
        )


def _is_current(change: BatchChange, proposals: Mapping[ArrivalKey, Proposal] | None) -> bool:
    """Tell whether Redis was asked and every proposal for the batch agrees with its decision."""
    return proposals is not None and all(
        coordinator_is_current(change, outcome, proposals[key_of(arrival)])
        for arrival, outcome in change.decided
    )
