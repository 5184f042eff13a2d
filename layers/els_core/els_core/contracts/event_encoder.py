"""Encode domain events as messages that fit the bus, whatever they contain."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never
from uuid import uuid5

from pydantic_core import to_json

from els_core.contracts import outbound
from els_core.contracts.event_data import data_of
from els_core.contracts.fields import WireModel
from els_core.contracts.final_results import without_lists
from els_core.domain.events import BatchClosed, OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from els_core.domain.events import DomainEvent

# An entry of PutEvents may be 1 MB, counted in UTF-8 bytes with its source, detail-type and time. The margin
# leaves room for these and for the envelope.
MAX_DETAIL_BYTES = 1_000_000 - 2_000
SOURCE_SERVICE, SCHEMA_VERSION = "els", 1


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
        shared = {"occurred_at": now, "source_service": SOURCE_SERVICE, "schema_version": SCHEMA_VERSION}
        if traceparent := self._traceparent():
            shared["traceparent"] = traceparent
        return [message for event in domain_events for message in self._messages(event, shared)]

    def _messages(self, event: DomainEvent, shared: Mapping[str, object]) -> Iterator[OutboxMessage]:
        first_id = event.event_id
        for part, (data, encoded) in enumerate(self._parts(event)):
            # Each part has an id of its own, which is the same however often the event is encoded.
            event_id = uuid5(first_id, f"part {part}") if part else first_id
            # The JSON of `Metadata`, without building one of values that are known to be right.
            metadata = {"event_id": event_id, "correlation_id": event.correlation_id, **shared}
            detail = f'{{"metadata":{to_json(metadata).decode()},"data":{encoded}}}'
            yield OutboxMessage(
                event_id,
                event.batch_id,
                type(data).__name__,
                detail,
                _digest(data),
                event.ended_by if isinstance(event, BatchClosed) else None,
                is_final=isinstance(event, BatchClosed),
            )

    def _parts(self, event: DomainEvent) -> Iterator[tuple[outbound.Data, str]]:
        """Yield the data of the event with their JSON, in as many parts as their size needs."""
        whole = data_of(event)
        encoded = whole.model_dump_json()
        if len(encoded.encode()) <= self._max_detail_bytes:
            yield whole, encoded
            return
        for part in self._smaller(whole):
            yield part, part.model_dump_json()

    def _smaller(self, whole: outbound.Data) -> Iterator[outbound.Data]:
        """Yield the data in parts that fit; lists of a final result are left out."""
        match whole:
            case outbound.EssaySlotsAssigned():
                for chunk in self._chunks(whole.assignments):
                    yield whole.model_copy(update={"assignments": chunk})
            case outbound.EssaySlotsReleased():
                for released in self._chunks(whole.released):
                    yield whole.model_copy(update={"released": released})
            case outbound.ParkedContentOverdue():
                for overdue in self._chunks(whole.arrivals):
                    yield whole.model_copy(update={"arrivals": overdue})
            case (
                outbound.BatchEssaysReady()
                | outbound.BatchValidationErrors()
                | outbound.BatchReadinessTimeout()
                | outbound.BatchCancelled()
            ):
                yield without_lists(whole)
            case (
                outbound.ExcessContentProvisioned()
                | outbound.BatchRegistrationRejected()
                | outbound.BatchReopened()
                | outbound.BatchCommandApplied()
                | outbound.BatchCommandRefused()
            ):
                yield whole
            case _:
                assert_never(whole)

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
