"""Every entry has an error of its own, and an entry that cannot be published stops no other."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from threading import Barrier
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from botocore.parsers import ResponseParserError

from els_core.adapters.aws.event_bus import CALLS_AT_ONCE, EventBridgePublisher
from els_core.application.budgets import always
from els_core.domain.errors import ExternalServiceError, PartiallySentError
from els_core.domain.events import OutboxMessage
from tests.unit.adapters.aws.clients import EventsClient, client_error, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from els_core.application.budgets import MayContinue

INVOCATION: ContextVar[str] = ContextVar("invocation", default="unknown")


def message(number: int, size: int = 10) -> OutboxMessage:
    return OutboxMessage(UUID(int=number), "b", "EssaySlotsAssigned", f'"{number}{"å" * size}"')


def publish(client: Any, messages: Sequence[OutboxMessage], may_continue: MayContinue = always) -> list[UUID]:
    return EventBridgePublisher(client, "bus").publish(messages, may_continue)


def test_messages_are_grouped_by_entries_and_utf_8_bytes() -> None:
    client = EventsClient()
    messages = [message(n) for n in range(23)] + [message(n, 150_000) for n in range(23, 30)]
    assert publish(client, messages) == [one.event_id for one in messages]
    assert sorted(len(call) for call in client.calls) == [1, 3, 6, 10, 10]


def test_a_rejected_entry_is_reported_by_its_code_and_the_others_are_published() -> None:
    messages = [message(n) for n in range(12)]
    client = EventsClient(rejects=lambda entry: "Throttled" if entry["Detail"].startswith('"5') else None)
    with pytest.raises(PartiallySentError, match="Throttled: 1") as rejected:
        publish(client, messages)
    assert list(rejected.value.accepted) == [one.event_id for one in messages if one.event_id != UUID(int=5)]


@pytest.mark.fault(35)
def test_a_call_that_is_rejected_because_of_one_entry_is_repeated_until_that_entry_is_alone() -> None:
    messages = [message(n) for n in range(30)]
    client = EventsClient(rejects_call=lambda entry: entry["Detail"].startswith('"13'))
    with pytest.raises(PartiallySentError, match="ValidationException: 1") as rejected:
        publish(client, messages)
    assert list(rejected.value.accepted) == [UUID(int=n) for n in range(30) if n != 13]
    assert len(client.calls) < 12


def answering(change: Callable[[list[Any]], Any]) -> EventsClient:
    """Return a bus that takes everything and changes the results in its answer."""
    client = EventsClient()
    put_events = client.put_events

    def put(**arguments: Any) -> dict[str, Any]:
        return {"FailedEntryCount": 0, "Entries": change(put_events(**arguments)["Entries"])}

    setattr(client, "put_events", put)  # noqa: B010 - mypy forbids to assign a method
    return client


REFUSED = {"ErrorCode": "InternalFailure"}
ANSWERS: list[tuple[Callable[[list[Any]], Any], str, set[int]]] = [
    # what becomes of the results               why entries are left            which are not
    (lambda results: [{}, *results[1:]],        "NoEventId: 1",                 {1, 2, 3}),
    (lambda results: [*results[:3], REFUSED],   "InternalFailure: 1",           {0, 1, 2}),
    (lambda results: [results[0] | REFUSED, *results[1:]], "InternalFailure: 1", {1, 2, 3}),
    (lambda results: [{"EventId": ""}, *results[1:]], "NoEventId: 1",           {1, 2, 3}),
    (lambda results: [{"ErrorCode": None}, REFUSED, *results[2:]], "Failure: 1, NoEventId: 1", {2, 3}),
    (lambda results: [{"ErrorCode": 7}, None, "x", results[3]], "7: 1, NoEventId: 2", {3}),
    (lambda results: results[1:],               "NoEventId: 4",                 set()),
    (lambda results: [*results, results[0]],    "NoEventId: 4",                 set()),
    (lambda _: None,                            "NoEventId: 4",                 set()),
    (lambda _: "odd",                           "NoEventId: 4",                 set()),
]  # fmt: skip


@pytest.mark.fault(24)
@pytest.mark.parametrize(("change", "left", "accepted"), ANSWERS)
def test_only_an_entry_of_which_the_bus_says_so_was_accepted(
    change: Callable[[list[Any]], Any], left: str, accepted: set[int]
) -> None:
    with pytest.raises(PartiallySentError, match=left) as rejected:
        publish(answering(change), [message(n) for n in range(4)])
    assert {one.int for one in rejected.value.accepted} == accepted


@pytest.mark.fault(24)
def test_an_answer_that_cannot_be_parsed_is_a_fault_of_the_bus() -> None:
    client = EventsClient(fails=lambda _: ResponseParserError("Anna.txt"))
    with pytest.raises(ExternalServiceError, match="ResponseParserError") as failed:
        publish(client, [message(1)])
    assert "Anna" not in str(failed.value)


@pytest.mark.fault(36)
def test_publishing_stops_before_the_calls_for_which_there_is_no_time() -> None:
    client = EventsClient()
    left = iter([True, False])
    with pytest.raises(PartiallySentError, match="OutOfTime: 1") as stopped:
        publish(client, [message(n) for n in range(10 * CALLS_AT_ONCE + 1)], lambda: next(left))
    assert len(stopped.value.accepted) == 10 * CALLS_AT_ONCE


def test_an_unreachable_bus_is_called_no_more_and_earlier_calls_count() -> None:
    client = EventsClient(fails=lambda call: unreachable() if call > CALLS_AT_ONCE else None)
    with pytest.raises(PartiallySentError, match="ConnectTimeoutError: 8") as rejected:
        publish(client, [message(n) for n in range(30 * CALLS_AT_ONCE)])
    assert (len(rejected.value.accepted), len(client.calls)) == (10 * CALLS_AT_ONCE, 2 * CALLS_AT_ONCE)


def test_calls_of_one_step_are_under_way_at_the_same_time() -> None:
    together = Barrier(CALLS_AT_ONCE)

    def wait_for_the_others(_: int) -> None:
        together.wait(30)

    client = EventsClient(fails=wait_for_the_others)
    assert len(publish(client, [message(n) for n in range(10 * CALLS_AT_ONCE)])) == 10 * CALLS_AT_ONCE


def test_a_bus_that_rejects_every_call_is_a_fault() -> None:
    client = EventsClient(fails=lambda _: client_error("ResourceNotFoundException"))
    with pytest.raises(ExternalServiceError, match="ResourceNotFoundException: 2") as failed:
        publish(client, [message(n) for n in range(20)])
    assert not isinstance(failed.value, PartiallySentError)


def test_every_call_is_observed_in_the_context_of_the_invocation() -> None:
    observed: list[tuple[str, str, int]] = []

    @contextmanager
    def observe(bus: str, messages: Sequence[OutboxMessage]) -> Iterator[None]:
        observed.append((INVOCATION.get(), bus, len(messages)))
        yield

    client: Any = EventsClient()
    token = INVOCATION.set("this one")
    try:
        EventBridgePublisher(client, "bus", observe).publish([message(n) for n in range(25)], always)
    finally:
        INVOCATION.reset(token)
    assert sorted(observed) == [("this one", "bus", count) for count in (5, 10, 10)]


def test_a_call_that_fails_is_seen_to_fail_by_its_observer() -> None:
    seen: list[str] = []

    @contextmanager
    def observe(_bus: str, _messages: Sequence[OutboxMessage]) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            seen.append(type(error).__name__)
            raise

    client: Any = EventsClient(rejects_call=lambda _: True)
    with pytest.raises(ExternalServiceError):
        EventBridgePublisher(client, "bus", observe).publish([message(1)], always)
    assert seen == ["ClientError"]
