"""The books: everything that can be looked at, once or at the end, in the shape in which it is checked."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from els_core.domain.arrivals import content_identity
from els_core.domain.events import TERMINAL_EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch, BatchSnapshot, Registration
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Reason


@dataclass(frozen=True, slots=True)
class Page:
    """All that the record holds of one batch: excess contents and late failures with their reasons."""

    snapshot: BatchSnapshot
    excess: Mapping[str, Reason] = field(default_factory=dict)
    late: Mapping[str, Reason] = field(default_factory=dict)
    parked: frozenset[str] = frozenset()

    @property
    def batch(self) -> Batch:
        """Return the row of the batch."""
        return self.snapshot.batch

    @property
    def batch_id(self) -> str:
        """Return the id of the batch."""
        return self.snapshot.batch.batch_id

    def domain_events(self) -> Page:
        """Return the page without its version (looks make it grow) and its deadline (tests move it)."""
        return replace(
            self, snapshot=replace(self.snapshot, batch=replace(self.batch, version=0, deadline=None))
        )

    def ends(self) -> Counter[str]:
        """Count the outcomes of every identity that the record knows."""
        return Counter(
            [
                *(content_identity(slot.text_storage_id) for slot in self.snapshot.assigned),
                *map(content_identity, self.excess),
                *(failure.identity for failure in self.snapshot.slot_failures),
                *self.late,
                *self.parked,
            ]
        )


@dataclass(frozen=True, slots=True)
class Books:
    """What upstream announced (without poison) and what became of it.

    `outbox` is what is still to be sent, `received` what the bus delivered, with repetitions.
    """

    now: datetime
    registered: Sequence[Registration]
    sent: Sequence[Arrival]
    pages: Mapping[str, Page]
    outbox: Sequence[OutboxMessage]
    received: Sequence[OutboxMessage]

    def identities(self, batch_id: str) -> set[str]:
        """Return what was sent to a batch."""
        return {arrival.identity for arrival in self.sent if arrival.batch_id == batch_id}

    def registrations(self, batch_id: str) -> list[Registration]:
        """Return the registrations of a batch, conflicting ones too."""
        return [registration for registration in self.registered if registration.batch_id == batch_id]

    def events(self, batch_id: str) -> list[OutboxMessage]:
        """Return the distinct events of a batch, sent or still to be sent; a repetition is the same event."""
        both = (*self.outbox, *self.received)
        return list({(one.event_id, one.detail): one for one in both if one.batch_id == batch_id}.values())

    def terminal_events(self, batch_id: str) -> list[OutboxMessage]:
        """Return the distinct terminal events of a batch."""
        kinds = TERMINAL_EVENT_TYPES.values()
        return [message for message in self.events(batch_id) if message.detail_type in kinds]

    def data(self, batch_id: str, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the data of the distinct events of a kind."""
        for message in self.events(batch_id):
            if message.detail_type == kind:
                yield json.loads(message.detail)["data"]
