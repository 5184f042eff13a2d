"""Publishes events to the outbound bus with PutEvents, and finds out whether the bus exists.

Limits: at most 10 entries and 1 MB per call; each entry has an error of its own.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from els_core.adapters.aws.client_errors import concerns_the_content, error_code_of
from els_core.application.ports.store_calls import unobserved_send
from els_core.domain.errors import ExternalServiceError, PartiallySentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef, PutEventsResponseTypeDef

    from els_core.application.budgets import MayContinue
    from els_core.application.ports.store_calls import ObserveSend
    from els_core.domain.events import OutboxMessage

    type Answer = PutEventsResponseTypeDef | Exception

SOURCE = "els"
MAX_ENTRIES = 10
MAX_BYTES = 1_000_000
TIME_BYTES = 14  # PutEvents counts this for the time of an entry
OUT_OF_TIME = "OutOfTime"
CALLS_AT_ONCE = 8  # fewer than the 10 connections that botocore keeps open


class PutsEvents(Protocol):
    """What the publisher needs of a client."""

    def put_events(self, *, Entries: Sequence[PutEventsRequestEntryTypeDef]) -> PutEventsResponseTypeDef:  # noqa: N803 - as boto3
        """Put at most 10 entries; raise what boto3 raises."""
        ...


class EventBridgePublisher:
    """The port `Publisher`. Delivery is at least once, so a call that failed is safe to repeat."""

    def __init__(self, client: PutsEvents, bus: str, observe: ObserveSend = unobserved_send) -> None:
        self._client = client
        self._bus = bus
        self._observe = observe

    def publish(self, messages: Sequence[OutboxMessage], may_continue: MayContinue) -> list[UUID]:
        """Publish with calls at the same time; one rejected because of an entry is repeated in halves.

        Raises `PartiallySentError` with the accepted ids when entries were rejected or time ran short, and
        `ExternalServiceError` when every call failed.
        """
        accepted: set[UUID] = set()
        error_codes: list[str] = []
        cause: Exception | None = None
        calls = deque(_calls(messages))
        while calls and cause is None:
            if not may_continue():
                error_codes.append(OUT_OF_TIME)
                break
            at_once = [calls.popleft() for _ in range(min(len(calls), CALLS_AT_ONCE))]
            for call, answer in zip(at_once, self._put_all(at_once), strict=True):
                if not isinstance(answer, Exception):
                    _judge(call, answer, accepted, error_codes)
                elif concerns_the_content(answer) and len(call) > 1:
                    middle = len(call) // 2
                    calls.extendleft((call[middle:], call[:middle]))
                else:
                    error_codes.append(error_code_of(answer))
                    if not concerns_the_content(answer):
                        cause = answer  # every further call would fail as well
        in_order = [message.event_id for message in messages if message.event_id in accepted]
        if error_codes:
            raise _fault(in_order, error_codes, cause) from cause
        return in_order

    def _put_all(self, calls: Sequence[Sequence[OutboxMessage]]) -> list[Answer]:
        if len(calls) == 1:
            return [self._put(calls[0])]
        # Each call has a copy of the context, so that its thread knows the span of the invocation.
        contexts = [copy_context() for _ in calls]
        return list(_threads().map(lambda context, call: context.run(self._put, call), contexts, calls))

    def _put(self, call: Sequence[OutboxMessage]) -> Answer:
        """Put one call's entries; return its error instead of raising it."""
        try:
            with self._observe(self._bus, call):
                return self._client.put_events(Entries=[self._entry(message) for message in call])
        except Exception as error:  # noqa: BLE001 - an answer that cannot be parsed has many classes
            return error

    def _entry(self, message: OutboxMessage) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": message.detail_type,
            "Detail": message.detail,
        }


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads of this process, which start when there is more than one call for the first time."""
    return ThreadPoolExecutor(CALLS_AT_ONCE, "put-events")


def _judge(
    call: Sequence[OutboxMessage],
    answer: PutEventsResponseTypeDef,
    accepted: set[UUID],
    error_codes: list[str],
) -> None:
    """Note what was accepted: entries with an EventId and no error, whatever the call answers.

    An answer with more or fewer results than entries does not say which entry a result is about.
    """
    found: object = answer.get("Entries")
    results = found if isinstance(found, list) and len(found) == len(call) else [None] * len(call)
    for message, result in zip(call, results, strict=True):
        known = result if isinstance(result, dict) else {}
        if known.get("EventId") and not known.get("ErrorCode"):
            accepted.add(message.event_id)
        else:
            error_codes.append(str(known.get("ErrorCode") or "NoEventId"))


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
