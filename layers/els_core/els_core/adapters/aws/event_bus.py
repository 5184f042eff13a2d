"""Publishes events to the outbound bus with PutEvents, and finds out whether the bus exists.

Limits: at most 10 entries and 1 MB per call; each entry has an error of its own.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from els_core.adapters.aws.client_errors import concerns_the_content, error_code_of
from els_core.application.ports.store_calls import unobserved_send
from els_core.domain.errors import ExternalServiceError, PartiallySentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from els_core.application.budgets import MayContinue
    from els_core.application.ports.store_calls import ObserveSend
    from els_core.domain.events import OutboxMessage

SOURCE = "els"
MAX_ENTRIES = 10
MAX_BYTES = 1_000_000
TIME_BYTES = 14  # PutEvents counts this for the time of an entry
OUT_OF_TIME = "OutOfTime"


class EventBridgePublisher:
    """The port `Publisher`. Delivery is at least once, so a call that failed is safe to repeat."""

    def __init__(self, client: EventBridgeClient, bus: str, observe: ObserveSend = unobserved_send) -> None:
        self._client = client
        self._bus = bus
        self._observe = observe

    def publish(self, messages: Sequence[OutboxMessage], may_continue: MayContinue) -> list[UUID]:
        """Publish in order; a call that is rejected because of one entry is repeated in halves.

        Raises `PartiallySentError` with the accepted ids when entries were rejected or time ran short, and
        `ExternalServiceError` when every call failed.
        """
        accepted: list[UUID] = []
        error_codes: list[str] = []
        cause: BotoCoreError | ClientError | None = None
        calls = deque(_calls(messages))
        while calls and cause is None:
            if not may_continue():
                error_codes.append(OUT_OF_TIME)
                break
            call = calls.popleft()
            try:
                self._put(call, accepted, error_codes)
            except (BotoCoreError, ClientError) as error:
                if concerns_the_content(error) and len(call) > 1:
                    middle = len(call) // 2
                    calls.extendleft((call[middle:], call[:middle]))
                    continue
                error_codes.append(error_code_of(error))
                if not concerns_the_content(error):
                    cause = error  # every further call would fail as well
        if error_codes:
            raise _fault(accepted, error_codes, cause) from cause
        return accepted

    def _put(self, call: Sequence[OutboxMessage], accepted: list[UUID], error_codes: list[str]) -> None:
        """Put one call's entries; an entry without an EventId was not accepted, whatever the call answers."""
        with self._observe(self._bus, len(call)):
            results = self._client.put_events(Entries=[self._entry(message) for message in call])["Entries"]
        for position, message in enumerate(call):
            result = results[position] if position < len(results) else {}
            if result.get("EventId"):
                accepted.append(message.event_id)
            else:
                error_codes.append(result.get("ErrorCode", "NoEventId"))

    def _entry(self, message: OutboxMessage) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": message.detail_type,
            "Detail": message.detail,
        }


class EventBridgeProbe:
    """The port `EventBusProbe`."""

    def __init__(self, client: EventBridgeClient, bus: str) -> None:
        self._client = client
        self._bus = bus

    def exists(self) -> bool:
        """Ask for the bus; PutEvents would answer success for one that does not exist."""
        try:
            self._client.describe_event_bus(Name=self._bus)
        except self._client.exceptions.ResourceNotFoundException:
            return False
        except (BotoCoreError, ClientError) as error:
            details = error_code_of(error)
            raise ExternalServiceError(
                "describe event bus", service="EventBridge", details=details
            ) from error
        return True


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


def _calls(messages: Sequence[OutboxMessage]) -> Iterator[list[OutboxMessage]]:
    """Split into calls by number of entries and bytes."""
    call: list[OutboxMessage] = []
    size = 0
    for message in messages:
        entry = size_of(message)
        if call and (len(call) == MAX_ENTRIES or size + entry > MAX_BYTES):
            yield call
            call, size = [], 0
        call.append(message)
        size += entry
    if call:
        yield call
