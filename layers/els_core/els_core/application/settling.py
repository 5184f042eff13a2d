"""The decision step that registration, provisioning and expiry share; everything in it is one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.domain.arrivals import key_of
from els_core.domain.deciding import agrees, decide
from els_core.domain.errors import ValidationError
from els_core.domain.events import closing_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from els_core.application.ports import Unit, Wire
    from els_core.domain.arrivals import Arrival, Key
    from els_core.domain.batches import Batch, Roll
    from els_core.domain.deciding import Change
    from els_core.domain.events import BatchClosed, Fact, Message
    from els_core.domain.outcomes import Outcome, Proposal


@dataclass(frozen=True, slots=True)
class Refused:
    """The record refuses this arrival's data and always will; it belongs into the dead-letter queue."""

    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a transaction decided, what is to be told to Redis and what is to be sent."""

    outcomes: dict[Key, Outcome | Refused] = field(default_factory=dict)
    closed: list[BatchClosed] = field(default_factory=list)
    rolls: dict[str, Roll] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def add(self, later: Settled) -> None:
        """Take in what a later step of the same transaction decided; its rolls are newer."""
        self.outcomes.update(later.outcomes)
        self.closed.extend(later.closed)
        self.rolls.update(later.rolls)
        self.messages.extend(later.messages)


@dataclass(frozen=True, slots=True)
class Settling:
    """The decision step inside one transaction."""

    unit: Unit
    wire: Wire

    def together(
        self,
        batches: dict[str, Batch],
        arrivals: Iterable[Arrival],
        proposals: Mapping[Key, Proposal] | None,
        facts: Sequence[Fact] = (),
    ) -> Settled:
        """Decide distinct arrivals of locked batches, whose new rows `batches` holds afterwards.

        Redis is told of the batches that it had wrong: of all where nothing was proposed.
        `facts` are announced too.
        """
        grouped: dict[str, list[Arrival]] = {batch_id: [] for batch_id in batches}
        for arrival in arrivals:
            grouped[arrival.batch_id].append(arrival)
        hints = proposals or {}
        standing = self.unit.standing([arrival for group in grouped.values() for arrival in group], hints)
        changes = [decide(batches[batch_id], group, hints, standing) for batch_id, group in grouped.items()]
        wrong = [change for change in changes if proposals is None or not _redis_is_right(change, proposals)]
        batches.update((change.after.batch_id, change.after) for change in changes)
        return self.conclude(changes, wrong, standing.now, facts)

    def one_by_one(
        self,
        batches: dict[str, Batch],
        arrivals: Iterable[Arrival],
        proposals: Mapping[Key, Proposal] | None,
        facts: Sequence[Fact] = (),
    ) -> Settled:
        """Do the same arrival by arrival, so that one whose data the record refuses fails alone."""
        total = self.together(batches, (), proposals, facts)
        for arrival in arrivals:
            touched = {arrival.batch_id: batches[arrival.batch_id]}
            try:
                with self.unit.savepoint():
                    settled = self.together(touched, [arrival], proposals)
            except ValidationError as refusal:
                total.outcomes[key_of(arrival)] = Refused(refusal.details)
            else:
                batches.update(touched)
                total.add(settled)
        return total

    def conclude(
        self, changes: Sequence[Change], wrong: Sequence[Change], now: datetime, facts: Sequence[Fact] = ()
    ) -> Settled:
        """Write the changes, announce them through the outbox, read the batches that Redis has `wrong`."""
        written = [change for change in changes if change.after != change.before]
        if written:
            self.unit.record(written)
        closing = [change.after.batch_id for change in written if change.closes]
        wanted = dict.fromkeys((*closing, *(change.after.batch_id for change in wrong)))
        rolls = {roll.batch.batch_id: roll for roll in self.unit.rolls(list(wanted))} if wanted else {}
        closed = [closing_of(rolls[batch_id]) for batch_id in closing]
        announced = [
            *facts,
            *(fact for change in written for fact in facts_of(change)),
            *closed,
        ]
        messages = self.wire.encode(announced, now) if announced else []
        if messages:
            self.unit.enqueue(messages)
        outcomes: dict[Key, Outcome | Refused] = {
            key_of(arrival): outcome for change in changes for arrival, outcome in change.decided
        }
        return Settled(outcomes, closed, rolls, messages)


def _redis_is_right(change: Change, proposals: Mapping[Key, Proposal]) -> bool:
    """Tell whether every proposal for the batch agrees with its decision."""
    return all(agrees(change, outcome, proposals[key_of(arrival)]) for arrival, outcome in change.decided)
