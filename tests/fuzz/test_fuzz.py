"""Tens of thousands of damaged bodies, the same at every run; `make fuzz` goes on with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.adapters.clock import SystemClock
from els_core.application.message_consumer import UNPARSABLE, MessageConsumer
from els_core.application.messages import DeadLetter, PoisonMessage, QueueMessage
from els_core.contracts.inbound import parse_arrival
from tests.fuzz.bodies import PERSONAL, body
from tests.fuzz.judge import findings

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEDS = 20_000
CHUNK = 2_500


@pytest.mark.fault(25)
@pytest.mark.fault(39)
@pytest.mark.parametrize("first", range(1, SEEDS, CHUNK))
def test_no_body_breaks_the_parser_or_shows_in_its_rejection(first: int) -> None:
    assert [wrong for seed in range(first, first + CHUNK) for wrong in findings(seed)] == []


def test_the_bodies_reach_both_sides_of_the_parser() -> None:
    parsed = [parse_arrival(body(seed)) for seed in range(1, 1_001)]
    rejected = [one for one in parsed if isinstance(one, PoisonMessage)]
    assert len(rejected) > 500
    assert len(parsed) - len(rejected) > 20
    assert len({(one.error_code, one.field, one.reason) for one in rejected}) > 40
    assert any(PERSONAL in body(seed) for seed in range(1, 1_001))


@pytest.mark.fault(25)
def test_an_error_of_the_parser_affects_one_message_only() -> None:
    class Queue:
        letters: list[DeadLetter] = []  # noqa: RUF012 - one test

        def send(self, letters: Sequence[DeadLetter]) -> list[str]:
            self.letters.extend(letters)
            return [letter.message.message_id for letter in letters]

    def parse(text: str) -> str:
        if text == "bad":
            raise OverflowError("year -1 is out of range")
        return text

    queue = Queue()
    consumer = MessageConsumer[str, list[str]](
        parse, lambda items, _: list(items), lambda report: [None] * len(report), queue, SystemClock()
    )
    result = consumer.consume([QueueMessage("1", "a"), QueueMessage("2", "bad"), QueueMessage("3", "b")])
    assert [report for _, report in result.reports] == [["a", "b"]]
    assert [(letter.message.message_id, letter.poison) for letter in queue.letters] == [("2", UNPARSABLE)]
    assert result.batch_item_failures == []
