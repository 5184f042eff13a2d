"""Compares what was sent, what Postgres holds and what was published; every difference is a breach.

It shares no code with the service, so it shares no bug either: it reads the tables itself, and computes
digests and event ids from their definition in the wire format.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

from dev.invariants.catalogue import INVARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dev.chaos.consumer import ReceivedEvent
    from dev.chaos.database_snapshot import DatabaseSnapshot
    from dev.chaos.workload import PlannedBatch

TERMINAL_EVENT_TYPES = {
    "ready": "BatchEssaysReady",
    "failed": "BatchValidationErrors",
    "timed_out": "BatchReadinessTimeout",
}
EVENT_NAMESPACE = UUID("5f2c1f0e-6f0e-5d43-9f57-7a3c8f1f4a10")


class CheckResult(NamedTuple):
    """One check, the promises in `dev/invariants/catalogue.py` that it judges, and what it found."""

    promises: tuple[int, ...]
    claim: str
    breaches: list[str]

    def described(self) -> list[str]:
        """Return each breach with the claim and the promises that it breaks."""
        numbers = ", ".join(str(number) for number in self.promises)
        word = "promise" if len(self.promises) == 1 else "promises"
        promises = f" ({word} {numbers})" if numbers else ""
        return [f"{self.claim}{promises}: {breach}" for breach in self.breaches]

    def texts(self) -> dict[int, str]:
        """Return the promises that the check judges, in words."""
        return {number: INVARIANTS[number] for number in self.promises}


@dataclass
class Reconciliation:
    """Each check yields the differences that it finds; after a correct run none yields any."""

    planned: Sequence[PlannedBatch]
    poison: Sequence[str]
    received: Mapping[str, ReceivedEvent]
    database: DatabaseSnapshot
    queue_depths: Mapping[str, int]
    dead_letters: Sequence[Mapping[str, Any]]
    _by_batch: dict[str, list[ReceivedEvent]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for event in self.received.values():
            self._by_batch[event.data["batch_id"]].append(event)

    def results(self) -> list[CheckResult]:
        """Run all checks."""
        return [CheckResult(promises, claim, sorted(check(self))) for promises, claim, check in CHECKS]

    def events(self, batch_id: str, detail_type: str | None) -> list[ReceivedEvent]:
        """Return the events of one type about a batch."""
        return [event for event in self._by_batch[batch_id] if event.detail_type == detail_type]

    def terminal_events(self, batch_id: str) -> list[ReceivedEvent]:
        """Return the terminal events of a batch."""
        types = TERMINAL_EVENT_TYPES.values()
        return [event for event in self._by_batch[batch_id] if event.detail_type in types]


def digest(assigned: Mapping[str, str]) -> str:
    """Return SHA-256 in hex over the sorted lines `essay_id text_storage_id`, by essay id."""
    lines = sorted(f"{essay_id} {content}\n" for essay_id, content in assigned.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def terminal_event_id(batch_id: str, detail_type: str) -> str:
    """Return the only id that the terminal event of a batch may have."""
    return str(uuid5(EVENT_NAMESPACE, f"{batch_id} {detail_type}"))


def _slots(run: Reconciliation) -> Iterator[str]:
    for planned in run.planned:
        batch_id = planned.batch_id
        registered = {essay_id for data in planned.registrations for essay_id in data["essay_ids"]}
        slots = run.database.slots.get(batch_id, {})
        if set(slots) != registered:
            yield f"{batch_id}: registered were {sorted(registered)}, Postgres has {sorted(slots)}"
    for batch_id, batch in run.database.batches.items():
        rows = Counter(run.database.slots.get(batch_id, {}).values())
        counts = (batch["assigned_count"], batch["failed_count"], batch["expected_count"])
        if counts != (rows["assigned"], rows["failed"], rows.total()):
            yield f"{batch_id}: the row counts {counts}, its slots are {dict(rows)}"


def _arrivals(run: Reconciliation) -> Iterator[str]:
    for planned in run.planned:
        batch_id = planned.batch_id
        outcomes = Counter(f"content:{name}" for name in run.database.assigned.get(batch_id, ()))
        outcomes.update(f"content:{name}" for name in run.database.excess.get(batch_id, ()))
        outcomes.update(list(run.database.failed.get(batch_id, ())))
        sent = {f"content:{name}" for name in planned.contents} | set(planned.failures)
        yield from (f"{batch_id}: {name} has no outcome" for name in sent - set(outcomes))
        yield from (f"{batch_id}: {name} was never sent" for name in set(outcomes) - sent)
        yield from (
            f"{batch_id}: {name} has {count} outcomes" for name, count in outcomes.items() if count > 1
        )


def _statuses(run: Reconciliation) -> Iterator[str]:
    for planned in run.planned:
        batch = run.database.batches.get(planned.batch_id)
        if batch is None:
            yield f"{planned.batch_id}: has no row"
        elif batch["status"] not in planned.allowed_statuses:
            allowed = sorted(planned.allowed_statuses)
            yield f"{planned.batch_id} ({planned.profile}): is {batch['status']}, allowed are {allowed}"
    sent = {planned.batch_id for planned in run.planned}
    yield from (f"{batch_id}: was never sent" for batch_id in run.database.batches if batch_id not in sent)


def _terminal_events(run: Reconciliation) -> Iterator[str]:
    for batch_id, batch in run.database.batches.items():
        detail_type = TERMINAL_EVENT_TYPES.get(batch["status"])
        events = [(event.detail_type, event.event_id) for event in run.terminal_events(batch_id)]
        if detail_type is None or events != [(detail_type, terminal_event_id(batch_id, detail_type))]:
            yield f"{batch_id}: is {batch['status']}, its terminal events are {events}"


def _repeated_deliveries(run: Reconciliation) -> Iterator[str]:
    return (
        f"{event_id}: {event.detail_type} had different contents"
        for event_id, event in run.received.items()
        if not event.is_identical
    )


def _final_results(run: Reconciliation) -> Iterator[str]:
    for batch_id, batch in run.database.batches.items():
        assigned = {slot: content for content, slot in run.database.assigned.get(batch_id, {}).items()}
        slots = run.database.slots.get(batch_id, {})
        available = sorted(slot for slot, status in slots.items() if status == "available")
        for event in run.events(batch_id, TERMINAL_EVENT_TYPES.get(batch["status"])):
            data = event.data
            ready = {essay["essay_id"]: essay["text_storage_id"] for essay in data.get("ready_essays", ())}
            if ready != assigned:
                yield f"{batch_id}: the ready list differs from Postgres"
            if "digest" in data and data["digest"] != digest(assigned):
                yield f"{batch_id}: the digest differs from that of the assigned slots"
            if data.get("missing_essay_ids", available) != available:
                yield f"{batch_id}: the missing slots differ from Postgres"
            counts = (data["assigned_count"], data["failed_count"])
            if counts != (batch["assigned_count"], batch["failed_count"]):
                yield f"{batch_id}: the counts {counts} differ from Postgres"


def _assignments(run: Reconciliation) -> Iterator[str]:
    for batch_id in run.database.batches:
        published = Counter(
            (assignment["text_storage_id"], assignment["essay_id"])
            for event in run.events(batch_id, "EssaySlotsAssigned")
            for assignment in event.data["assignments"]
        )
        assigned = Counter(run.database.assigned.get(batch_id, {}).items())
        if published != assigned:
            yield f"{batch_id}: published {sorted(published.elements())}, Postgres has {sorted(assigned)}"


def _excess_events(run: Reconciliation) -> Iterator[str]:
    for batch_id in run.database.batches:
        events = run.events(batch_id, "ExcessContentProvisioned")
        published = Counter(event.data["text_storage_id"] for event in events)
        excess = run.database.excess.get(batch_id, ())
        if published != Counter(excess):
            yield f"{batch_id}: published {dict(published)}, Postgres has {sorted(excess)}"


def _rejections(run: Reconciliation) -> Iterator[str]:
    for planned in run.planned:
        rejections = len(run.events(planned.batch_id, "BatchRegistrationRejected"))
        expected = len(planned.registrations) - 1
        if rejections != expected:
            yield f"{planned.batch_id}: {rejections} rejections, expected {expected}"


def _left_over(run: Reconciliation) -> Iterator[str]:
    left = {**run.queue_depths, "parked_arrivals": run.database.parked, "outbox": run.database.outbox}
    return (f"{count} in {name}" for name, count in left.items() if count)


def _dead_letters(run: Reconciliation) -> Iterator[str]:
    found: set[str] = set()
    for letter in run.dead_letters:
        markers = [marker for marker in run.poison if marker in letter["Body"]]
        found.update(markers)
        if not markers:
            yield f"a valid message is a dead letter: {letter['Body'][:200]}"
        elif "error_code" not in letter.get("MessageAttributes", {}):
            yield f"{markers}: the dead letter has no error code"
    yield from (f"{marker}: is in no dead-letter queue" for marker in run.poison if marker not in found)


type _Check = Callable[[Reconciliation], Iterator[str]]

CHECKS: tuple[tuple[tuple[int, ...], str, _Check], ...] = (
    ((1,), "slots are those registered, and counts are those of the rows", _slots),
    ((7,), "every arrival has exactly one outcome", _arrivals),
    ((3, 4, 12), "every batch has ended in a status that it may end in", _statuses),
    ((3, 5), "every batch has exactly one terminal event, with the right type and id", _terminal_events),
    ((5,), "every delivery of an event is identical", _repeated_deliveries),
    ((5,), "the terminal event agrees with Postgres", _final_results),
    ((2, 6), "every assignment is published exactly once, and no other", _assignments),
    ((6, 9), "every excess content is published exactly once, and no other", _excess_events),
    ((6,), "every different second registration is rejected exactly once", _rejections),
    ((6, 7, 11), "nothing is left in queues, parked arrivals and outbox", _left_over),
    ((11,), "the dead letters are exactly the poison messages, with error codes", _dead_letters),
)
