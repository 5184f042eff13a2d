"""Publishes events to the outbound bus with PutEvents.

Limits: at most 10 entries and 1 MB per call; each entry has an error of its own.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from els_core.domain.errors import ExternalServiceError, PartiallySentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from els_core.domain.events import OutboxMessage

SOURCE = "els"
MAX_ENTRIES = 10
MAX_BYTES = 1_000_000
TIME_BYTES = 14  # PutEvents counts this for the time of an entry


class EventBridgePublisher:
    """The port `Publisher`. Delivery is at least once, so a call that failed is safe to repeat."""

    def __init__(self, client: EventBridgeClient, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        """Publish the messages, also when the bus rejects one call; return the ids that it accepted.

        Raises `PartiallySentError` with the accepted ids when entries were rejected, and
        `ExternalServiceError` when every call was.
        """
        accepted: list[UUID] = []
        error_codes: list[str] = []
        cause: BotoCoreError | ClientError | None = None
        for group in _groups(messages):
            try:
                answer = self._client.put_events(Entries=[self._entry(message) for message in group])
            except ClientError as error:
                cause = error  # only this call failed; the next ones may succeed
                error_codes.append(error.response["Error"]["Code"])
                continue
            except BotoCoreError as error:
                cause = error
                error_codes.append(type(error).__name__)
                break  # the bus is unreachable, and every further call would time out as well
            for message, result in zip(group, answer["Entries"], strict=True):
                if result.get("EventId"):
                    accepted.append(message.event_id)
                else:
                    error_codes.append(result.get("ErrorCode", "unknown"))
        if error_codes:
            raise _fault(accepted, error_codes, cause) from cause
        return accepted

    def _entry(self, message: OutboxMessage) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": message.detail_type,
            "Detail": message.detail,
        }


def _fault(
    accepted: Sequence[UUID], error_codes: Sequence[str], cause: Exception | None
) -> ExternalServiceError:
    details = ", ".join(f"{code}: {count}" for code, count in sorted(Counter(error_codes).items()))
    if cause is not None and not accepted:
        return ExternalServiceError("publish events", service="EventBridge", details=details)
    return PartiallySentError("publish events", accepted=accepted, service="EventBridge", details=details)


def size_of(message: OutboxMessage) -> int:
    """Return the size of an entry as PutEvents counts it, in UTF-8 bytes."""
    return TIME_BYTES + len(SOURCE) + len(message.detail_type) + len(message.detail.encode())


def _groups(messages: Sequence[OutboxMessage]) -> Iterator[list[OutboxMessage]]:
    """Split into calls by number of entries and bytes."""
    group: list[OutboxMessage] = []
    size = 0
    for message in messages:
        entry = size_of(message)
        if group and (len(group) == MAX_ENTRIES or size + entry > MAX_BYTES):
            yield group
            group, size = [], 0
        group.append(message)
        size += entry
    if group:
        yield group
