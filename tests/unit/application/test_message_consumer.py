"""One bad record holds up no other; a fault of a store brings back what is not done, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.application.message_consumer import MessageConsumer
from els_core.application.messages import PoisonMessage, QueueMessage
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError, ProcessingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.message_consumer import ConsumeResult
    from els_core.application.messages import DeadLetter

RECORDS = [QueueMessage(f"m{n}", str(n)) for n in range(10)]


class Letters:
    """A dead-letter queue that takes the first two only."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        return [letter.message.message_id for letter in letters[:2]]


class Work:
    """Fails for certain items, and remembers how it was called."""

    def __init__(self, faults: dict[str, Exception]) -> None:
        self.faults = faults
        self.calls: list[list[str]] = []

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.calls.append(list(items))
        for item in items:
            if item in self.faults:
                raise self.faults[item]
        return list(items)


def take_in(work: Work, poison: frozenset[str] = frozenset()) -> ConsumeResult[str, list[str]]:
    def parse(body: str) -> str | PoisonMessage:
        return PoisonMessage("BAD", "body", "bad") if body in poison else body

    return MessageConsumer(parse, work, lambda report: [None] * len(report), Letters()).consume(RECORDS)


@pytest.mark.fault(15)
def test_an_unexpected_error_retries_its_message_alone() -> None:
    taken = take_in(Work({"5": ProcessingError("decide")}))
    assert taken.batch_item_failures == ["m5"]
    assert [item for items, _ in taken.reports for item in items] == list("012346789")


@pytest.mark.fault(21)
@pytest.mark.parametrize("fault", [ExternalServiceError("x"), CoordinationTimeoutError("x")])
def test_an_unavailable_store_retries_every_message_after_one_call(fault: Exception) -> None:
    work = Work({"5": fault})
    assert take_in(work).batch_item_failures == [record.message_id for record in RECORDS]
    assert len(work.calls) == 1


@pytest.mark.fault(21)
def test_a_store_that_fails_while_processing_one_by_one_retries_the_rest_at_once() -> None:
    work = Work({"2": ProcessingError("decide"), "4": ExternalServiceError("reach", service="Postgres")})
    taken = take_in(work)
    assert sorted(taken.batch_item_failures) == ["m2", "m4", "m5", "m6", "m7", "m8", "m9"]
    assert [len(call) for call in work.calls] == [10, 1, 1, 1, 1, 1]


@pytest.mark.fault(15)
def test_a_dead_letter_that_its_queue_does_not_accept_is_retried() -> None:
    taken = take_in(Work({}), frozenset("147"))
    assert taken.batch_item_failures == ["m7"]
