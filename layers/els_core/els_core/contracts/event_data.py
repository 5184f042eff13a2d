"""The data of each event that ELS announces, made from its domain event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict, assert_never

from els_core.contracts import outbound
from els_core.contracts.final_results import final_result
from els_core.domain.arrivals import kind_of
from els_core.domain.events import (
    BatchClosed,
    BatchReopened,
    CommandAnswered,
    ExcessContent,
    ParkedOverdue,
    RegistrationRejected,
    SlotsAssigned,
    SlotsReleased,
)
from els_core.domain.outcomes import Reason

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import AssignedSlot, ReleasedSlot
    from els_core.domain.events import DomainEvent


def data_of(event: DomainEvent) -> outbound.Data:
    """Return all data of the event, whatever their size."""
    data: outbound.Data
    match event:
        case SlotsAssigned():
            slots = [_assignment(slot) for slot in event.assignments]
            data = outbound.EssaySlotsAssigned.model_validate({**_at(event), "assignments": slots})
        case SlotsReleased():
            released = [_released(slot) for slot in event.released]
            data = outbound.EssaySlotsReleased(**_at(event), released=released)
        case ParkedOverdue():
            overdue = [_overdue(arrival) for arrival in event.arrivals]
            data = outbound.ParkedContentOverdue(**_at(event), arrivals=overdue)
        case ExcessContent():
            data = outbound.ExcessContentProvisioned(
                **_at(event),
                text_storage_id=event.content.text_storage_id,
                original_file_name=event.content.original_file_name,
                reason=_reason(event.reason),
            )
        case RegistrationRejected():
            data = outbound.BatchRegistrationRejected(**_at(event), reason=event.reason)
        case BatchReopened():
            data = _reopened(event)
        case CommandAnswered():
            data = _answered(event)
        case BatchClosed():
            data = final_result(event)
        case _:
            assert_never(event)
    return data


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


def _assignment(slot: AssignedSlot) -> dict[str, str | None]:
    # Pydantic builds thousands of these at once much faster than one by one.
    return {
        "essay_id": slot.essay_id,
        "text_storage_id": slot.text_storage_id,
        "original_file_name": slot.original_file_name,
        "file_upload_id": slot.file_upload_id,
    }


def _overdue(arrival: Arrival) -> outbound.OverdueArrival:
    return outbound.OverdueArrival(
        kind=kind_of(arrival).value,
        identity=arrival.identity,
        original_file_name=arrival.original_file_name,
    )
