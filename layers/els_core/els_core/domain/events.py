"""What ELS announces, as domain events; the wire format is in `contracts.outbound`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never
from uuid import UUID, uuid5

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import AssignedSlot, Status
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot, RegistrationDetails
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import Reason

# The namespace of all event ids of ELS. An id is derived from its event, so it never changes.
NAMESPACE = UUID("5f2c1f0e-6f0e-5d43-9f57-7a3c8f1f4a10")


@dataclass(frozen=True, slots=True)
class SlotsAssigned:
    """One transaction assigned slots of one batch to contents."""

    batch_id: str
    version: int
    assignments: tuple[AssignedSlot, ...]
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the version of the batch row after these assignments."""
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
        """Return the id, derived from the identity of the content."""
        return uuid5(NAMESPACE, f"{self.batch_id} ExcessContentProvisioned {self.content.identity}")


@dataclass(frozen=True, slots=True)
class BatchClosed:
    """The final result of a batch, with its snapshot: ready, all failed or timed out, by status."""

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
        """Return the id, derived from batch id and event type."""
        return uuid5(NAMESPACE, f"{self.batch_id} {terminal_event_type(self.snapshot.batch.status)}")


@dataclass(frozen=True, slots=True)
class RegistrationRejected:
    """A batch was registered again with other data; the first registration stands."""

    batch_id: str
    fingerprint: str
    reason: str
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the fingerprint of what was rejected."""
        return uuid5(NAMESPACE, f"{self.batch_id} BatchRegistrationRejected {self.fingerprint}")


@dataclass(frozen=True, slots=True)
class ParkedOverdue:
    """Arrivals are parked for longer than the parking time, and their batch is still not registered."""

    batch_id: str
    version: int
    arrivals: tuple[Arrival, ...]
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the version of the batch row that marked them."""
        return uuid5(NAMESPACE, f"{self.batch_id} ParkedContentOverdue {self.version}")


type DomainEvent = SlotsAssigned | ExcessContent | BatchClosed | RegistrationRejected | ParkedOverdue


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One entry for the bus: `detail` is the JSON text, `event_id` the id in its metadata.

    A final result is kept as long as its batch; `digest` is that of its ready list. `position` is that of its
    outbox row, once it has one.
    """

    event_id: UUID
    batch_id: str
    detail_type: str
    detail: str
    digest: str | None = None
    is_final: bool = False
    position: int | None = None


def terminal_event_type(status: Status) -> str:
    """Return the type of the final result of a batch; raise ValueError for a status that is not terminal."""
    match status:
        case Status.READY:
            return "BatchEssaysReady"
        case Status.FAILED:
            return "BatchValidationErrors"
        case Status.TIMED_OUT:
            return "BatchReadinessTimeout"
        case Status.AWAITED | Status.OPEN:
            raise ValueError(f"{status} is not terminal: only a terminal batch has a final result")
        case _:
            assert_never(status)


TERMINAL_EVENT_TYPES = {status: terminal_event_type(status) for status in Status if status.is_terminal}


def domain_events_of(change: BatchChange) -> Iterator[DomainEvent]:
    """Yield what a change announces about its arrivals. The final result needs a snapshot and comes later."""
    assigned: list[tuple[Content, AssignedSlot]] = []
    excess: list[ExcessContent] = []
    for arrival, outcome in change.decided:
        match outcome:
            case Assigned(essay_id):
                content = _content(arrival, outcome)
                slot = AssignedSlot(
                    essay_id, content.text_storage_id, content.original_file_name, content.file_upload_id
                )
                assigned.append((content, slot))
            case Excess(reason):
                excess.append(ExcessContent(_content(arrival, outcome), reason))
            case Failed() | Late() | Parked() | Duplicate():
                pass
            case _:
                assert_never(outcome)
    if assigned:
        slots = tuple(slot for _, slot in assigned)
        correlation_id = assigned[0][0].correlation_id
        yield SlotsAssigned(change.after.batch_id, change.after.version, slots, correlation_id)
    yield from excess


def batch_closed(snapshot: BatchSnapshot) -> BatchClosed:
    """Return the final result of a batch that has just become terminal."""
    if snapshot.details is None:
        batch = snapshot.batch
        raise LookupError(f"batch {batch.batch_id} is {batch.status} and was never registered")
    return BatchClosed(snapshot, snapshot.details)


def _content(arrival: Arrival, outcome: Assigned | Excess) -> Content:
    """Return the arrival as the content that it must be to have this outcome."""
    match arrival:
        case Content():
            return arrival
        case Failure():
            raise TypeError(
                f"{arrival.identity} of batch {arrival.batch_id} is a failure: cannot be {outcome}"
            )
        case _:
            assert_never(arrival)
