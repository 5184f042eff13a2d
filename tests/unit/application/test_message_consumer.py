"""Poison goes to the dead-letter queue, a fault causes a retry, and one bad message stops no other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from els_core.application.message_consumer import UNPARSABLE, MessageConsumer, Retry
from els_core.application.messages import PoisonMessage, QueueMessage
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError, ProcessingError
from tests.fakes.clock import FakeClock
from tests.fakes.queues import FakeDeadLetterQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.message_consumer import ConsumeResult
    from els_core.application.messages import DeadLetter
    from els_core.application.ports.messaging import DeadLetterQueue

CLOCK = FakeClock()
SENT_AGO = timedelta(seconds=7)
MESSAGES = [QueueMessage(f"m{n}", str(n), CLOCK.now() - SENT_AGO) for n in range(10)]

BAD = PoisonMessage("BAD", "body", "bad")
REJECTED = PoisonMessage("REJECTED_BY_STORE", "data", "rejected")


class SmallDeadLetterQueue:
    """The port `DeadLetterQueue`: accepts the first two letters only."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        return [letter.message.message_id for letter in letters[:2]]


class Processor:
    """Fails for certain items, and keeps its calls."""

    def __init__(self, faults: dict[str, Exception]) -> None:
        self.faults = faults
        self.calls: list[list[str]] = []

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.calls.append(list(items))
        for item in items:
            if item in self.faults:
                raise self.faults[item]
        return list(items)


def consume(
    process: Processor,
    poison: frozenset[str] = frozenset(),
    rejected: frozenset[str] = frozenset(),
    queue: DeadLetterQueue | None = None,
) -> ConsumeResult[str, list[str]]:
    """Consume ten messages; parsing makes some of them poison, and the store rejects some others."""

    def parse(body: str) -> str | PoisonMessage:
        return BAD if body in poison else body

    def verdicts(report: list[str]) -> list[PoisonMessage | Retry | None]:
        return [REJECTED if item in rejected else None for item in report]

    consumer = MessageConsumer(
        parse, lambda items, _: process(items), verdicts, queue or SmallDeadLetterQueue(), CLOCK
    )
    return consumer.consume(MESSAGES)


def test_only_messages_that_were_decided_have_a_latency() -> None:
    process = Processor({"3": ProcessingError("try")})
    latencies = consume(process, frozenset({"1"}), frozenset({"2"})).latencies
    assert len(latencies) == len(MESSAGES) - 3
    assert {latency // timedelta(seconds=1) for latency in latencies} == {7}


def test_good_messages_are_processed_in_one_call_and_acknowledged() -> None:
    process = Processor({})
    result = consume(process)
    assert (result.batch_item_failures, result.dead_letters) == ([], [])
    assert process.calls == [list("0123456789")]


@pytest.mark.fault(15)
def test_poison_is_a_dead_letter_with_its_reason_and_is_never_processed() -> None:
    process = Processor({})
    result = consume(process, poison=frozenset("5"))
    assert [(letter.message.message_id, letter.poison) for letter in result.dead_letters] == [("m5", BAD)]
    assert (result.batch_item_failures, process.calls) == ([], [list("012346789")])


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    "error", [OverflowError("Anna.txt"), RecursionError(), MemoryError(), ProcessingError("x")]
)
def test_whatever_the_parser_raises_concerns_one_message(error: Exception) -> None:
    def parse(body: str) -> str:
        if body == "5":
            raise error
        return body

    queue = FakeDeadLetterQueue()
    process = Processor({})
    consumer = MessageConsumer(
        parse, lambda items, _: process(items), lambda report: [None for _ in report], queue, CLOCK
    )
    result = consumer.consume(MESSAGES)
    assert (result.batch_item_failures, process.calls, result.faults) == ([], [list("012346789")], [error])
    [letter] = queue.letters
    assert (letter.message.message_id, letter.poison) == ("m5", UNPARSABLE)


@pytest.mark.fault(15)
def test_what_the_store_rejects_is_a_dead_letter_too() -> None:
    result = consume(Processor({}), poison=frozenset("2"), rejected=frozenset("7"))
    letters = [(letter.message.message_id, letter.poison) for letter in result.dead_letters]
    assert letters == [("m2", BAD), ("m7", REJECTED)]
    assert result.batch_item_failures == []


@pytest.mark.fault(15)
def test_an_unexpected_error_retries_its_message_alone() -> None:
    result = consume(Processor({"5": ProcessingError("decide")}))
    assert result.batch_item_failures == ["m5"]
    assert [item for items, _ in result.reports for item in items] == list("012346789")


@pytest.mark.fault(21)
@pytest.mark.fault(31)
@pytest.mark.parametrize("fault", [ExternalServiceError("x"), CoordinationTimeoutError("x")])
def test_an_unavailable_store_retries_every_message_after_one_call(fault: Exception) -> None:
    process = Processor({"5": fault})
    assert consume(process).batch_item_failures == [message.message_id for message in MESSAGES]
    assert len(process.calls) == 1


@pytest.mark.fault(21)
def test_a_store_that_fails_while_processing_halves_retries_the_rest_at_once() -> None:
    process = Processor(
        {"2": ProcessingError("decide"), "4": ExternalServiceError("reach", service="Postgres")}
    )
    result = consume(process)
    assert sorted(result.batch_item_failures) == ["m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"]
    assert [len(call) for call in process.calls] == [10, 5, 2, 3, 1, 2]


@pytest.mark.fault(15)
def test_a_dead_letter_that_its_queue_does_not_accept_is_retried() -> None:
    result = consume(Processor({}), frozenset("147"))
    assert result.batch_item_failures == ["m7"]


@pytest.mark.fault(15)
def test_of_two_dead_letters_with_one_id_both_must_be_accepted() -> None:
    """Lambda never gives an id twice; if it did, the one that is refused must not be lost."""

    def parse(_: str) -> str | PoisonMessage:
        return BAD

    queue = SmallDeadLetterQueue()
    consumer = MessageConsumer(parse, lambda items, _: list(items), lambda _: [], queue, CLOCK)
    same = QueueMessage("m1", "x")
    assert consumer.consume([MESSAGES[0], same, same]).batch_item_failures == ["m1"]


def test_an_unavailable_dead_letter_queue_retries_every_dead_letter() -> None:
    queue = FakeDeadLetterQueue()
    queue.is_down = True
    result = consume(Processor({}), poison=frozenset("14"), queue=queue)
    assert result.batch_item_failures == ["m1", "m4"]
    assert [type(fault) for fault in result.faults] == [ExternalServiceError]
