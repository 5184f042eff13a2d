"""What ELS announces, as domain events; the wire format is in `contracts.outbound`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never
from uuid import UUID, uuid5

from els_core.domain.batches import EndedBy, Status

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival, Content
    from els_core.domain.batches import AssignedSlot, Batch, BatchSnapshot, RegistrationDetails, ReleasedSlot
    from els_core.domain.commands import CommandAnswer
    from els_core.domain.outcomes import Reason

# The namespace of all event ids of ELS. An id is derived from its event, so it never changes.
NAMESPACE = UUID("5f2c1f0e-6f0e-5d43-9f57-7a3c8f1f4a10")


@dataclass(frozen=True, slots=True)
class SlotsAssigned:
    """One transaction assigned slots of one batch to contents."""

    batch_id: str
    epoch: int
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
    epoch: int
    version: int

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
class SlotsReleased:
    """Contents lost their slots, because they are superseded or were released."""

    batch_id: str
    epoch: int
    version: int
    released: tuple[ReleasedSlot, ...]
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the version of the batch row after this."""
        return uuid5(NAMESPACE, f"{self.batch_id} EssaySlotsReleased {self.version}")


@dataclass(frozen=True, slots=True)
class BatchReopened:
    """Another epoch of an ended batch began; `batch` is its row afterwards."""

    batch: Batch
    taken_in: int
    correlation_id: str

    @property
    def batch_id(self) -> str:
        """Return the batch that was opened again."""
        return self.batch.batch_id

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the epoch."""
        return uuid5(NAMESPACE, f"{self.batch_id} BatchReopened {self.batch.epoch}")


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """A command was applied or refused."""

    batch_id: str
    answer: CommandAnswer
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from that of the command."""
        return uuid5(NAMESPACE, f"{self.batch_id} BatchCommand {self.answer.command_id}")


@dataclass(frozen=True, slots=True)
class BatchClosed:
    """The final result of an epoch, with the snapshot of its batch: its status says which one.

    `details` is None for a batch that was cancelled before it was registered; then `correlation_id` is that
    of the command, else that of the registration.
    """

    snapshot: BatchSnapshot
    details: RegistrationDetails | None
    ended_by: EndedBy
    correlation_id: str

    @property
    def batch_id(self) -> str:
        """Return the batch that is closed."""
        return self.snapshot.batch.batch_id

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from batch id and event type, and from the epoch after the first one."""
        batch = self.snapshot.batch
        name = f"{batch.batch_id} {terminal_event_type(batch.status)}"
        return uuid5(NAMESPACE, name if batch.epoch == 1 else f"{name} {batch.epoch}")


@dataclass(frozen=True, slots=True)
class RegistrationRejected:
    """A batch was registered again with other data; the first registration stands."""

    batch_id: str
    fingerprint: str
    reason: str
    correlation_id: str
    epoch: int
    version: int

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the fingerprint of what was rejected."""
        return uuid5(NAMESPACE, f"{self.batch_id} BatchRegistrationRejected {self.fingerprint}")


@dataclass(frozen=True, slots=True)
class ParkedOverdue:
    """Arrivals are parked for longer than the parking time, and their batch is still not registered."""

    batch_id: str
    epoch: int
    version: int
    arrivals: tuple[Arrival, ...]
    correlation_id: str

    @property
    def event_id(self) -> UUID:
        """Return the id, derived from the version of the batch row that marked them."""
        return uuid5(NAMESPACE, f"{self.batch_id} ParkedContentOverdue {self.version}")


type DomainEvent = (
    SlotsAssigned
    | ExcessContent
    | SlotsReleased
    | BatchReopened
    | CommandAnswered
    | BatchClosed
    | RegistrationRejected
    | ParkedOverdue
)


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One entry for the bus: `detail` is the JSON text, `event_id` the id in its metadata.

    A final result is kept as long as its batch; `digest` is that of its ready list, and `ended_by` what ended
    the epoch. `position` is that of its outbox row, once it has one.
    """

    event_id: UUID
    batch_id: str
    detail_type: str
    detail: str
    digest: str | None = None
    ended_by: EndedBy | None = None
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
        case Status.CANCELLED:
            return "BatchCancelled"
        case Status.AWAITED | Status.OPEN:
            raise ValueError(f"{status} is not terminal: only a terminal batch has a final result")
        case _:
            assert_never(status)


TERMINAL_EVENT_TYPES = {status: terminal_event_type(status) for status in Status if status.is_terminal}


def ended_by_of(status: Status) -> EndedBy:
    """Return what ended an epoch with this status, if no command closed it; raise ValueError if none did."""
    match status:
        case Status.READY | Status.FAILED:
            return EndedBy.FULL
        case Status.TIMED_OUT:
            return EndedBy.DEADLINE
        case Status.CANCELLED:
            return EndedBy.CANCEL
        case Status.AWAITED | Status.OPEN:
            raise ValueError(f"{status} is not terminal: nothing has ended the epoch")
        case _:
            assert_never(status)
