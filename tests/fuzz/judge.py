"""What must be true of every body: parsed or rejected, in words of our own, and fit for stores and bus."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from els_core.adapters.clock import SystemClock
from els_core.application.message_consumer import UNPARSABLE, MessageConsumer
from els_core.application.messages import DeadLetter, PoisonMessage, QueueMessage
from els_core.contracts.inbound import parse_arrival, parse_registration
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration
from tests.fuzz.bodies import PERSONAL, body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

type Parsed = Content | Failure | Registration | PoisonMessage
PARSERS: tuple[Callable[[str], Parsed], ...] = (parse_arrival, lambda text: parse_registration(text, 60))
CODES = frozenset({"INVALID_JSON", "MISSING_FIELD", "WRONG_DETAIL_TYPE", "INVALID_FIELD"})
ID = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")
INT64 = 2**63 - 1


def findings(seed: int) -> Iterator[str]:
    """Yield what is wrong with the treatment of the body of this seed."""
    text = body(seed)
    for parse in PARSERS:
        try:
            parsed = parse(text)
        except Exception as error:  # noqa: BLE001 - that is the finding
            yield f"seed {seed}: the parser raised {type(error).__name__}"
        else:
            yield from (f"seed {seed}: {wrong}" for wrong in _wrong(parsed))
    yield from (f"seed {seed}: {wrong}" for wrong in _in_company(text))


def _wrong(parsed: Parsed) -> Iterator[str]:
    match parsed:
        case PoisonMessage():
            yield from _wrong_rejection(parsed)
        case Content() | Failure():
            yield from _wrong_fields(asdict(parsed))
            if not ID.fullmatch(parsed.batch_id):
                yield "a batch id that is none was accepted"
        case Registration():
            yield from _wrong_fields(asdict(parsed.details))
            ids = parsed.essay_ids
            if len(set(ids)) != len(ids) or not all(map(ID.fullmatch, ids)) or not 1 <= len(ids) <= 2_000:
                yield "slots that are none were accepted"


def _wrong_rejection(poison: PoisonMessage) -> Iterator[str]:
    if poison.error_code not in CODES:
        yield f"unknown code {poison.error_code}"
    if PERSONAL.lower() in f"{poison.field} {poison.reason}".lower():
        yield "the rejection repeats the input"
    if not poison.field.isascii() or not poison.reason.isascii() or len(poison.reason) > 200:
        yield "the rejection is not in words of our own"


def _wrong_fields(fields: dict[str, object]) -> Iterator[str]:
    """Yield what Postgres or the bus would refuse."""
    for name, value in fields.items():
        if isinstance(value, bool) or (isinstance(value, int) and not 0 <= value <= INT64):
            yield f"{name} is no 64-bit number"
        if isinstance(value, str):
            if "\0" in value:
                yield f"{name} holds NUL"
            json.dumps(value, ensure_ascii=False).encode()


def _in_company(text: str) -> Iterator[str]:
    """Consume the body between two good ones: these are processed, whatever it is."""
    processed: list[object] = []

    def process(items: Sequence[object], _: object) -> Sequence[object]:
        processed.extend(items)
        return items

    def parse(given: str) -> object:
        return given if given in {"first", "last"} else parse_arrival(given)

    consumer = MessageConsumer[object, object](
        parse, process, lambda _: [None] * len(processed), _Queue(), SystemClock()
    )
    consumer.consume([QueueMessage("1", "first"), QueueMessage("2", text), QueueMessage("3", "last")])
    if not {"first", "last"} <= {item for item in processed if isinstance(item, str)}:
        yield "a good neighbour was not processed"


class _Queue:
    """A dead-letter queue that accepts everything."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        assert all(letter.poison != UNPARSABLE for letter in letters)
        return [letter.message.message_id for letter in letters]
