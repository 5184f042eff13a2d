"""Sends messages to the outbound bus with PutEvents.

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
TIME_BYTES = 14  # what the bus counts for the time of an entry


class EventBridgePublisher:
    """The port `Publisher`; at least once, so a call that failed half is safe to repeat."""

    def __init__(self, client: EventBridgeClient, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, messages: Sequence[OutboxMessage]) -> list[UUID]:
        """Send all calls even if one is refused; raise with the error codes where something was not taken.

        Raises `PartiallySentError` with what the bus took, `ExternalServiceError` if it refused every call.
        """
        taken: list[UUID] = []
        refusals: list[str] = []
        cause: BotoCoreError | ClientError | None = None
        for group in _groups(messages):
            try:
                answer = self._client.put_events(Entries=[self._entry(message) for message in group])
            except ClientError as error:
                cause = error  # of this call; it holds up no other
                refusals.append(error.response["Error"]["Code"])
                continue
            except BotoCoreError as error:
                cause = error
                refusals.append(type(error).__name__)
                break  # the bus is out of reach, and each more call would wait as long again
            for message, result in zip(group, answer["Entries"], strict=True):
                if result.get("EventId"):
                    taken.append(message.event_id)
                else:
                    refusals.append(result.get("ErrorCode", "unknown"))
        if refusals:
            raise _fault(taken, refusals, cause) from cause
        return taken

    def _entry(self, message: OutboxMessage) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": message.detail_type,
            "Detail": message.detail,
        }


def _fault(taken: Sequence[UUID], refusals: Sequence[str], cause: Exception | None) -> ExternalServiceError:
    details = ", ".join(f"{code}: {count}" for code, count in sorted(Counter(refusals).items()))
    if cause is not None and not taken:
        return ExternalServiceError("publish events", service="EventBridge", details=details)
    return PartiallySentError("publish events", accepted=taken, service="EventBridge", details=details)


def size_of(message: OutboxMessage) -> int:
    """Return the size of an entry as the bus counts it, in UTF-8 bytes."""
    return TIME_BYTES + len(SOURCE) + len(message.detail_type) + len(message.detail.encode())


def _groups(messages: Sequence[OutboxMessage]) -> Iterator[list[OutboxMessage]]:
    """Split into calls by entries and bytes."""
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
