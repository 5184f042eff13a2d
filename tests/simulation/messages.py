"""What upstream sends in a random world: batches, contents, failures, other envelopes, poison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails
from tests.simulation.upstream import as_read, body_of

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival
    from tests.simulation.choices import Choices

DAY = 86_400
BATCH_IDS = ("batch-1", "batch-2", "batch-3")
MOST_ARRIVALS = 8
# File names that the record of a random world refuses, as it would a NUL: always, or only a slot.
UNSTORABLE = "unstorable"
STUBBORN = "stubborn"
POISON = ('{{"number": {0}', '{{"detail-type": "Unheard", "number": {0}}}', '["no event", {0}]')


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way: something announced, or an arrival that will be `refused`, or poison."""

    body: str
    what: str
    is_registration: bool = False
    announced: Registration | Arrival | None = None
    refused: Arrival | None = None


def letters(plan: Choices) -> list[Letter]:
    """Draw everything that upstream sends, in the order in which it does."""
    left = [letter for batch_id in BATCH_IDS[: 1 + plan.below(3)] for letter in _batch(plan, batch_id)]
    if not plan.chance(70):
        return left
    return [left.pop(plan.below(len(left))) for _ in range(len(left))]


def _batch(plan: Choices, batch_id: str) -> list[Letter]:
    drawn = _registrations(plan, batch_id)
    names = 0
    while names < MOST_ARRIVALS and plan.chance(80):
        names += 1
        drawn += _copies(plan, batch_id, f"n{names}")
    return drawn


def _registrations(plan: Choices, batch_id: str) -> list[Letter]:
    """Register once; or twice, or in conflict, or never."""
    slots = 1 + plan.below(4)
    timeout = plan.one_of((DAY, DAY, 600, 60))
    first = _registered(batch_id, slots, timeout)
    match plan.below(10):
        case 6 | 7:
            return [first, first]
        case 8:
            return [first, _registered(batch_id, slots + 1, timeout)]
        case 9:
            return []
        case _:
            return [first]


@cache
def _registered(batch_id: str, slots: int, timeout: int) -> Letter:
    details = RegistrationDetails("ENG5", "teacher", _uuid(1), timeout)
    essay_ids = tuple(f"essay-{number + 1}" for number in range(slots))
    registration = as_read(Registration(batch_id, essay_ids, details, ""))
    what = f"the registration of {batch_id} with {slots} slots, {timeout} s"
    return Letter(body_of(registration), what, is_registration=True, announced=registration)


def _copies(plan: Choices, batch_id: str, name: str) -> list[Letter]:
    """Send one thing once or more; the second time it may come in another envelope."""
    kind = plan.below(20)
    copies = 1 + max(0, plan.below(10) - 6)
    return [_letter(kind, batch_id, name, plan.below(2) if copy else 0) for copy in range(copies)]


@cache
def _letter(kind: int, batch_id: str, name: str, envelope: int) -> Letter:
    content = Content(batch_id, name, f"raw-{name}", f"{name}.txt", 400, _uuid(10 + envelope))
    failure = Failure(
        batch_id,
        _uuid(20 + envelope),
        "STORAGE_FAILED",
        f"{name}.txt",
        0,
        "EMPTY_CONTENT",
        "empty",
        _uuid(10 + envelope),
        name,
    )
    match kind:
        case 13:
            return _refused(replace(content, original_file_name=STUBBORN))
        case 14 | 15 | 16:
            return _sent(failure)
        case 17:
            return _sent(replace(failure, file_upload_id=None, event_id=_uuid(100 + int(name[1:]))))
        case 18:
            poison = POISON[int(name[1:]) % len(POISON)].format(int(batch_id[-1]) * 100 + int(name[1:]))
            return Letter(poison, f"poison {poison}")
        case 19:
            return _refused(replace(content, original_file_name=UNSTORABLE))
        case _:
            return _sent(content)


def _sent(arrival: Arrival) -> Letter:
    return Letter(body_of(arrival), f"{arrival.batch_id} {arrival.identity}", announced=arrival)


def _refused(arrival: Arrival) -> Letter:
    what = f"{arrival.batch_id} {arrival.identity}, which is {arrival.original_file_name}"
    return Letter(body_of(arrival), what, refused=arrival)


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"
