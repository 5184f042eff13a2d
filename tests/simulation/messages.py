"""The workload of a simulated run: registrations, contents, failures, repetitions and poison messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails
from tests.simulation.producer import as_parsed, body_of

if TYPE_CHECKING:
    from els_core.application.commands import CommandRequest
    from els_core.domain.arrivals import Arrival
    from tests.simulation.choices import Choices

DAY = 86_400
BATCH_IDS = ("batch-1", "batch-2", "batch-3")
MAX_ARRIVALS = 8
# File names that the simulated Postgres rejects as the real one rejects NUL: always, or unless only parked.
REJECTED_ALWAYS = "rejected always"
REJECTED_UNLESS_PARKED = "rejected unless parked"
POISON = ('{{"number": {0}', '{{"detail-type": "Unheard", "number": {0}}}', '["no event", {0}]')


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message to send: a good `event`, or an arrival that Postgres will reject, or a poison message."""

    body: str
    what: str
    is_registration: bool = False
    event: Registration | Arrival | CommandRequest | None = None
    rejected: Arrival | None = None


def planned_messages(plan: Choices) -> list[PlannedMessage]:
    """Choose all messages of a run, in the order in which they are sent."""
    messages = [one for batch_id in BATCH_IDS[: 1 + plan.below(3)] for one in _batch(plan, batch_id)]
    if not plan.chance(70):
        return messages
    return [messages.pop(plan.below(len(messages))) for _ in range(len(messages))]


def _batch(plan: Choices, batch_id: str) -> list[PlannedMessage]:
    messages = _registrations(plan, batch_id)
    names = 0
    while names < MAX_ARRIVALS and plan.chance(80):
        names += 1
        messages += _copies(plan, batch_id, f"n{names}")
    return messages


def _registrations(plan: Choices, batch_id: str) -> list[PlannedMessage]:
    """Register the batch once, twice, in conflict, or never."""
    slots = 1 + plan.below(4)
    timeout = plan.one_of((DAY, DAY, 600, 60))
    first = _registration(batch_id, slots, timeout)
    match plan.below(10):
        case 6 | 7:
            return [first, first]
        case 8:
            return [first, _registration(batch_id, slots + 1, timeout)]
        case 9:
            return []
        case _:
            return [first]


@cache
def _registration(batch_id: str, slots: int, timeout: int) -> PlannedMessage:
    details = RegistrationDetails("ENG5", "teacher", _uuid(1), timeout)
    essay_ids = tuple(f"essay-{number + 1}" for number in range(slots))
    registration = as_parsed(Registration(batch_id, essay_ids, details, ""))
    what = f"the registration of {batch_id} with {slots} slots, {timeout} s"
    return PlannedMessage(body_of(registration), what, is_registration=True, event=registration)


def _copies(plan: Choices, batch_id: str, name: str) -> list[PlannedMessage]:
    """Send one event once or more often; a repetition may have another envelope."""
    kind = plan.below(20)
    copies = 1 + max(0, plan.below(10) - 6)
    return [_arrival(kind, batch_id, name, plan.below(2) if copy else 0) for copy in range(copies)]


@cache
def _arrival(kind: int, batch_id: str, name: str, envelope: int) -> PlannedMessage:
    number = int(name[1:])
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
            return _rejected(replace(content, original_file_name=REJECTED_UNLESS_PARKED))
        case 14 | 15 | 16:
            return _good(failure)
        case 17:
            return _good(replace(failure, file_upload_id=None, event_id=_uuid(100 + number)))
        case 18:
            poison = POISON[number % len(POISON)].format(int(batch_id[-1]) * 100 + number)
            return PlannedMessage(poison, f"the poison message {poison}")
        case 19:
            return _rejected(replace(content, original_file_name=REJECTED_ALWAYS))
        case _:
            return _good(content)


def _good(arrival: Arrival) -> PlannedMessage:
    return PlannedMessage(body_of(arrival), f"{arrival.batch_id} {arrival.identity}", event=arrival)


def _rejected(arrival: Arrival) -> PlannedMessage:
    what = f"{arrival.batch_id} {arrival.identity}, which Postgres has {arrival.original_file_name}"
    return PlannedMessage(body_of(arrival), what, rejected=arrival)


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"
