"""Encode domain events as messages that fit the bus, whatever they contain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict, assert_never
from uuid import UUID, uuid5

from els_core.contracts import outbound
from els_core.contracts.fields import Metadata, WireModel
from els_core.contracts.final_results import final_result, without_lists
from els_core.domain.arrivals import kind_of
from els_core.domain.events import (
    BatchClosed,
    BatchReopened,
    CommandAnswered,
    ExcessContent,
    OutboxMessage,
    ParkedOverdue,
    RegistrationRejected,
    SlotsAssigned,
    SlotsReleased,
)
from els_core.domain.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import AssignedSlot, ReleasedSlot
    from els_core.domain.events import DomainEvent

# An entry of PutEvents may be 1 MB, counted in UTF-8 bytes with its source, detail-type and time. The margin
# leaves room for these and for the envelope.
MAX_DETAIL_BYTES = 1_000_000 - 2_000


class JsonEventEncoder:
    """The port `EventEncoder`, in the JSON of the wire format."""

    def __init__(
        self,
        max_detail_bytes: int = MAX_DETAIL_BYTES,
        traceparent: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._max_detail_bytes = max_detail_bytes
        self._traceparent = traceparent

    def encode(self, domain_events: Sequence[DomainEvent], now: datetime) -> list[OutboxMessage]:
        """Return the messages in the order of the events; `now` becomes their `occurred_at`."""
        return [message for event in domain_events for message in self._messages(event, now)]

    def _messages(self, event: DomainEvent, now: datetime) -> Iterator[OutboxMessage]:
        for part, data in enumerate(self._parts(event)):
            # Each part has an id of its own, which is the same however often the event is encoded.
            event_id = uuid5(event.event_id, f"part {part}") if part else event.event_id
            detail = _detail(data, self._metadata(event_id, event, now))
            yield OutboxMessage(
                event_id,
                event.batch_id,
                type(data).__name__,
                detail,
                _digest(data),
                event.ended_by if isinstance(event, BatchClosed) else None,
                is_final=isinstance(event, BatchClosed),
            )

    def _metadata(self, event_id: UUID, event: DomainEvent, now: datetime) -> Metadata:
        return Metadata(
            event_id=event_id,
            correlation_id=UUID(event.correlation_id),
            occurred_at=now,
            source_service="els",
            schema_version=1,
            traceparent=self._traceparent(),
        )

    def _parts(self, event: DomainEvent) -> Iterator[outbound.Data]:
        """Yield the data of the event, in as many parts as its size needs."""
        match event:
            case SlotsAssigned():
                for chunk in self._chunks([_assignment(slot) for slot in event.assignments]):
                    yield outbound.EssaySlotsAssigned(**_at(event), assignments=chunk)
            case SlotsReleased():
                for released in self._chunks([_released(slot) for slot in event.released]):
                    yield outbound.EssaySlotsReleased(**_at(event), released=released)
            case ParkedOverdue():
                for overdue in self._chunks([_overdue(arrival) for arrival in event.arrivals]):
                    yield outbound.ParkedContentOverdue(**_at(event), arrivals=overdue)
            case _:
                yield self._whole(event)

    def _whole(
        self, event: ExcessContent | RegistrationRejected | BatchReopened | CommandAnswered | BatchClosed
    ) -> outbound.Data:
        """Return the data of an event that is never split."""
        match event:
            case ExcessContent():
                return outbound.ExcessContentProvisioned(
                    **_at(event),
                    text_storage_id=event.content.text_storage_id,
                    original_file_name=event.content.original_file_name,
                    reason=_reason(event.reason),
                )
            case RegistrationRejected():
                return outbound.BatchRegistrationRejected(**_at(event), reason=event.reason)
            case BatchReopened():
                return _reopened(event)
            case CommandAnswered():
                return _answered(event)
            case BatchClosed():
                whole = final_result(event)
                fits = len(whole.model_dump_json().encode()) <= self._max_detail_bytes
                return whole if fits else without_lists(whole)
            case _:
                assert_never(event)

    def _chunks[Item: WireModel](self, items: Sequence[Item]) -> Iterator[list[Item]]:
        """Split by bytes, each chunk as full as the limit allows."""
        chunk: list[Item] = []
        size = 0
        for item in items:
            bytes_of_item = len(item.model_dump_json().encode()) + 1
            if chunk and size + bytes_of_item > self._max_detail_bytes:
                yield chunk
                chunk, size = [], 0
            chunk.append(item)
            size += bytes_of_item
        yield chunk


def _detail(data: outbound.Data, metadata: Metadata) -> str:
    envelope = metadata.model_dump_json(exclude_none=True)
    return f'{{"metadata":{envelope},"data":{data.model_dump_json()}}}'


def _digest(data: outbound.Data) -> str | None:
    match data:
        case outbound.BatchEssaysReady() | outbound.BatchReadinessTimeout() | outbound.BatchCancelled():
            return data.digest
        case (
            outbound.BatchValidationErrors()
            | outbound.EssaySlotsAssigned()
            | outbound.ExcessContentProvisioned()
            | outbound.BatchRegistrationRejected()
            | outbound.ParkedContentOverdue()
            | outbound.BatchReopened()
            | outbound.EssaySlotsReleased()
            | outbound.BatchCommandApplied()
            | outbound.BatchCommandRefused()
        ):
            return None
        case _:
            assert_never(data)


class _At(TypedDict):
    batch_id: str
    epoch: int
    version: int


def _at(event: SlotsAssigned | SlotsReleased | ExcessContent | ParkedOverdue | RegistrationRejected) -> _At:
    return _At(batch_id=event.batch_id, epoch=event.epoch, version=event.version)


def _reason(reason: Reason) -> Literal["NO_AVAILABLE_SLOT", "BATCH_TIMED_OUT", "BATCH_CANCELLED"]:
    """Return why a content is excess; raise ValueError for a reason that only a failure can have."""
    match reason:
        case Reason.NO_AVAILABLE_SLOT:
            return "NO_AVAILABLE_SLOT"
        case Reason.BATCH_TIMED_OUT:
            return "BATCH_TIMED_OUT"
        case Reason.BATCH_CANCELLED:
            return "BATCH_CANCELLED"
        case Reason.REPLACEMENT_FAILED:
            raise ValueError(f"{reason} is why a failure uses no slot; no content is excess for it")
        case _:
            assert_never(reason)


def _reopened(event: BatchReopened) -> outbound.BatchReopened:
    batch = event.batch
    if batch.deadline is None:
        raise LookupError(f"batch {batch.batch_id} was opened again and has no deadline")
    return outbound.BatchReopened(
        batch_id=batch.batch_id,
        epoch=batch.epoch,
        version=batch.version,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
        taken_in=event.taken_in,
        deadline=batch.deadline,
    )


def _answered(event: CommandAnswered) -> outbound.BatchCommandApplied | outbound.BatchCommandRefused:
    answer = event.answer
    data = {
        "batch_id": event.batch_id,
        "epoch": answer.epoch,
        "version": answer.version,
        "command_id": answer.command_id,
        "command": answer.command.value,
        "status": answer.status.value,
    }
    if answer.refusal is not None:
        return outbound.BatchCommandRefused.model_validate(data | {"reason": answer.refusal.value})
    return outbound.BatchCommandApplied.model_validate(
        data
        | {
            "withdrawn_essay_ids": list(answer.withdrawn),
            "released": [_released(slot) for slot in answer.released],
            "taken_in": answer.taken_in,
        }
    )


def _released(slot: ReleasedSlot) -> outbound.Released:
    return outbound.Released(essay_id=slot.essay_id, text_storage_id=slot.text_storage_id)


def _assignment(slot: AssignedSlot) -> outbound.Assignment:
    return outbound.Assignment(
        essay_id=slot.essay_id,
        text_storage_id=slot.text_storage_id,
        original_file_name=slot.original_file_name,
        file_upload_id=slot.file_upload_id,
    )


def _overdue(arrival: Arrival) -> outbound.OverdueArrival:
    return outbound.OverdueArrival(
        kind=kind_of(arrival).value,
        identity=arrival.identity,
        original_file_name=arrival.original_file_name,
    )
