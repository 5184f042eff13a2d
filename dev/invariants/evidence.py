"""What the judge reads: what upstream sent, what Postgres holds and what the bus delivered.

Identities are computed here, not taken from the service; of the service only plain data types are read.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, assert_never

from dev.invariants.derivations import TERMINAL_EVENTS, content_identity, failure_identity
from els_core.domain.arrivals import Content, Failure
from els_core.domain.commands import AddSlots, Reopen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from els_core.application.commands import CommandRequest
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch, BatchSnapshot, RecordedFailure, Registration
    from els_core.domain.events import OutboxMessage
    from els_core.domain.outcomes import Reason


@dataclass(frozen=True, slots=True)
class BatchEvidence:
    """All that Postgres holds of one batch: excess contents and late failures with their reasons.

    `superseded` are identities of arrivals that lost their place for good, `barred` of those that never get
    one and have not come.
    """

    snapshot: BatchSnapshot
    excess: Mapping[str, Reason] = field(default_factory=dict)
    late: Mapping[str, Reason] = field(default_factory=dict)
    parked: frozenset[str] = frozenset()
    superseded: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()

    @property
    def batch(self) -> Batch:
        """Return the row of the batch."""
        return self.snapshot.batch

    @property
    def batch_id(self) -> str:
        """Return the id of the batch."""
        return self.snapshot.batch.batch_id

    @property
    def slot_failures(self) -> list[RecordedFailure]:
        """Return the failures that use a slot."""
        return list(self.snapshot.slot_failures)

    @property
    def assignments(self) -> list[tuple[str, str]]:
        """Return the assigned slots as pairs of essay id and text storage id."""
        return [(slot.essay_id, slot.text_storage_id) for slot in self.snapshot.assigned]

    def comparable(self) -> BatchEvidence:
        """Return a copy without the version, which redeliveries raise, and the deadline, which tests move."""
        return replace(
            self, snapshot=replace(self.snapshot, batch=replace(self.batch, version=0, deadline=None))
        )

    def outcomes(self) -> Counter[str]:
        """Count the outcomes of every identity that Postgres knows."""
        return Counter(
            [
                *(content_identity(slot.text_storage_id) for slot in self.snapshot.assigned),
                *map(content_identity, self.excess),
                *(failure.identity for failure in self.snapshot.slot_failures),
                *self.late,
                *self.parked,
                *self.superseded,
            ]
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What upstream sent, without poison messages, and what became of it.

    `outbox` is what is still to be sent, `received` what the bus delivered, repetitions included.
    `commanded` are the commands that were sent.
    """

    now: datetime
    registered: Sequence[Registration]
    sent: Sequence[Arrival]
    batches: Mapping[str, BatchEvidence]
    outbox: Sequence[OutboxMessage]
    received: Sequence[OutboxMessage]
    commanded: Sequence[CommandRequest] = ()

    def identities(self, batch_id: str) -> set[str]:
        """Return the identities of the arrivals that were sent to a batch."""
        return {identity_of(arrival) for arrival in self.sent if arrival.batch_id == batch_id}

    def registrations(self, batch_id: str) -> list[Registration]:
        """Return the registrations of a batch, conflicting ones too."""
        return [registration for registration in self.registered if registration.batch_id == batch_id]

    def events(self, batch_id: str) -> list[OutboxMessage]:
        """Return the distinct events of a batch, sent or still to be sent; a repetition is the same event."""
        both = (*self.outbox, *self.received)
        return list({(one.event_id, one.detail): one for one in both if one.batch_id == batch_id}.values())

    def terminal_events(self, batch_id: str) -> list[OutboxMessage]:
        """Return the distinct terminal events of a batch."""
        types = TERMINAL_EVENTS.values()
        return [message for message in self.events(batch_id) if message.detail_type in types]

    def final_results(self, batch_id: str, epoch: int) -> list[OutboxMessage]:
        """Return the distinct terminal events of one epoch of a batch."""
        return [one for one in self.terminal_events(batch_id) if self.epoch_of(one) == epoch]

    @staticmethod
    def epoch_of(message: OutboxMessage) -> int:
        """Return the epoch that an event names; one of the version before epochs is of the first."""
        epoch: int = json.loads(message.detail)["data"].get("epoch", 1)
        return epoch

    def added_slots(self, batch_id: str) -> set[str]:
        """Return the slots that commands may have added to a batch."""
        own = [one.command for one in self.commanded if one.batch_id == batch_id]
        added = [one.essay_ids for one in own if isinstance(one, AddSlots)]
        added += [one.add_slots for one in own if isinstance(one, Reopen)]
        return {essay_id for ids in added for essay_id in ids}

    def data(self, batch_id: str, detail_type: str) -> Iterator[dict[str, Any]]:
        """Yield the data of the distinct events of one type."""
        for message in self.events(batch_id):
            if message.detail_type == detail_type:
                yield json.loads(message.detail)["data"]


def identity_of(arrival: Arrival) -> str:
    """Return the identity of an arrival inside its batch."""
    match arrival:
        case Content(text_storage_id=text_storage_id):
            return content_identity(text_storage_id)
        case Failure(file_upload_id=file_upload_id, event_id=event_id):
            return failure_identity(file_upload_id, event_id)
        case _:
            assert_never(arrival)
