"""What ELS announces, as facts; the wire format lies in `contracts.outbound`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from els_core.domain.arrivals import Content
from els_core.domain.batches import AssignedSlot, Status
from els_core.domain.outcomes import Assigned, Excess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot, RegistrationDetails
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import Reason

# The namespace of all event ids of ELS: an id is derived from its fact, so it never changes.
NAMESPACE = UUID("5f2c1f0e-6f0e-5d43-9f57-7a3c8f1f4a10")


@dataclass(frozen=True, slots=True)
class SlotsAssigned:
    """Contents were bound to slots of one batch by one transaction."""

    batch_id: str
    version: int
    assignments: tuple[AssignedSlot, ...]
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the version of the batch row that these assignments made."""
        return uuid5(NAMESPACE, f"{self.batch_id} EssaySlotsAssigned {self.version}")


@dataclass(frozen=True, slots=True)
class ExcessContent:
    """A content found no slot."""

    content: Content
    reason: Reason

    @property
    def batch_id(self) -> str:
        """Return the batch of the content."""
        return self.content.batch_id

    @property
    def correlation_id(self) -> str:
        """Return the correlation id of the arrival."""
        return self.content.correlation_id

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the content's identity."""
        return uuid5(NAMESPACE, f"{self.batch_id} ExcessContentProvisioned {self.content.identity}")


@dataclass(frozen=True, slots=True)
class BatchClosed:
    """The final result of a batch with its whole roll: ready, all failed or timed out, by status."""

    snapshot: BatchSnapshot
    details: RegistrationDetails

    @property
    def batch_id(self) -> str:
        """Return the batch that is closed."""
        return self.snapshot.batch.batch_id

    @property
    def correlation_id(self) -> str:
        """Return the correlation id of the registration."""
        return self.details.correlation_id

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from batch id and kind."""
        return uuid5(NAMESPACE, f"{self.batch_id} {TERMINAL_EVENT_TYPES[self.snapshot.batch.status]}")


@dataclass(frozen=True, slots=True)
class RegistrationRejected:
    """A batch was registered again with other data; the first registration stands."""

    batch_id: str
    fingerprint: str
    reason: str
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from what was rejected."""
        return uuid5(NAMESPACE, f"{self.batch_id} BatchRegistrationRejected {self.fingerprint}")


@dataclass(frozen=True, slots=True)
class ParkedOverdue:
    """Arrivals have waited longer than the parking time for a batch that is still not registered."""

    batch_id: str
    version: int
    arrivals: tuple[Arrival, ...]
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the version of the batch row that marked them."""
        return uuid5(NAMESPACE, f"{self.batch_id} ParkedContentOverdue {self.version}")


type DomainEvent = SlotsAssigned | ExcessContent | BatchClosed | RegistrationRejected | ParkedOverdue

TERMINAL_EVENT_TYPES = {
    Status.READY: "BatchEssaysReady",
    Status.FAILED: "BatchValidationErrors",
    Status.TIMED_OUT: "BatchReadinessTimeout",
}


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One entry for the bus: `detail` is the JSON text, `event_id` the one in its metadata.

    `digest` is that of the ready list in a final result; the record keeps it for the audit.
    """

    event_id: UUID
    batch_id: str
    detail_type: str
    detail: str
    digest: str | None = None


def domain_events_of(change: BatchChange) -> Iterator[DomainEvent]:
    """Yield what a change announces about its arrivals; the final result needs the roll and comes after."""
    assigned = [(arrival, outcome) for arrival, outcome in change.decided if isinstance(outcome, Assigned)]
    if assigned:
        yield SlotsAssigned(
            change.after.batch_id,
            change.after.version,
            tuple(_slot(arrival, outcome.essay_id) for arrival, outcome in assigned),
            assigned[0][0].correlation_id,
        )
    for arrival, outcome in change.decided:
        if isinstance(arrival, Content) and isinstance(outcome, Excess):
            yield ExcessContent(arrival, outcome.reason)


def batch_closed(snapshot: BatchSnapshot) -> BatchClosed:
    """Return the final result of a batch that has just become terminal."""
    if snapshot.details is None:
        message = f"batch {snapshot.batch.batch_id} is {snapshot.batch.status} and was never registered"
        raise LookupError(message)
    return BatchClosed(snapshot, snapshot.details)


def _slot(arrival: Arrival, essay_id: str) -> AssignedSlot:
    if not isinstance(arrival, Content):
        message = (
            f"{arrival.identity} of batch {arrival.batch_id} is a failure and cannot own slot {essay_id}"
        )
        raise TypeError(message)
    return AssignedSlot(essay_id, arrival.text_storage_id, arrival.original_file_name, arrival.file_upload_id)
