"""The demo finds every violation: evidence in order has none, tampered evidence has the expected one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from dev.demo.checks import check_all
from dev.demo.evidence import BatchState, Evidence, RedisEvidence, RedisSlots, Slot
from dev.demo.files import File
from dev.demo.workload import Batch, Workload, make_workload
from dev.deploy.stack import ReceivedEvent
from dev.invariants.catalogue import INVARIANTS
from dev.invariants.derivations import TERMINAL_EVENTS, digest, event_id

if TYPE_CHECKING:
    from collections.abc import Callable

ESSAY = b"I once had a cat that could open every door but its own. " * 3
STATUS = {detail_type: status for status, detail_type in TERMINAL_EVENTS.items()}
FLUSHED_AT = 100.0


def state_of(workload: Workload, batch: Batch) -> BatchState:
    """Return the state that a batch must have: the files in order take the slots in order."""
    slots: list[Slot] = []
    excess: dict[str, str] = {}
    for number, upload in enumerate(batch.uploads):
        if number >= batch.slots:
            excess[upload.text_id] = "NO_AVAILABLE_SLOT"
        elif upload.failure:
            slots.append(Slot(batch.essay_ids[number], "failed", None, upload.identity, in_time=True))
        else:
            slots.append(Slot(batch.essay_ids[number], "assigned", upload.text_id, None, in_time=True))
    slots += [Slot(name, "available", None, None, None) for name in batch.essay_ids[len(slots) :]]
    if batch is workload.incomplete:
        excess[workload.latecomer.text_id] = "BATCH_TIMED_OUT"
    return BatchState(
        batch.batch_id,
        STATUS[batch.final],
        version=5,
        expected=batch.slots,
        assigned=sum(slot.text_id is not None for slot in slots),
        failed=sum(slot.failure is not None for slot in slots),
        seconds_left=0.0,
        closed_after_deadline=batch is workload.incomplete,
        changed_at=FLUSHED_AT + 1,
        slots=tuple(slots),
        late=(),
        excess=excess,
        parked=(),
        unsent=0,
    )


def events_of(batch: Batch, state: BatchState) -> list[ReceivedEvent]:
    name = {"batch_id": batch.batch_id}
    assignments = [{"essay_id": slot, "text_storage_id": text_id} for slot, text_id in state.assignments]
    excess = [{"text_storage_id": text_id, "reason": reason} for text_id, reason in state.excess.items()]
    return [
        ReceivedEvent("EssaySlotsAssigned", f"{batch.name}-a", name | {"assignments": assignments}),
        *(ReceivedEvent("ExcessContentProvisioned", each["text_storage_id"], name | each) for each in excess),
        final(batch, digest=digest(state.assignments)),
    ]


def final(batch: Batch, event: str | None = None, **data: Any) -> ReceivedEvent:
    """Return the terminal event of a batch, or one with another id."""
    derived = str(event_id(batch.batch_id, batch.final))
    return ReceivedEvent(batch.final, event or derived, {"batch_id": batch.batch_id, **data})


def slots_of(state: BatchState) -> RedisSlots:
    return RedisSlots(
        frozenset(slot.essay_id for slot in state.slots if slot.status == "available"),
        {slot.text_id: slot.essay_id for slot in state.slots if slot.text_id},
        {slot.failure: slot.essay_id for slot in state.slots if slot.failure},
    )


@dataclass
class Case:
    """Evidence without a violation, to be tampered with."""

    evidence: Evidence

    def batch(self, name: str) -> Batch:
        return next(batch for batch in self.evidence.workload.batches if batch.name == name)

    def state(self, name: str) -> BatchState:
        return self.evidence.states[f"demo-run-{name}"]

    def slots(self, name: str) -> tuple[Slot, ...]:
        return self.state(name).slots

    def put(self, **fields: Any) -> None:
        self.evidence = replace(self.evidence, **fields)

    def change(self, name: str, **fields: Any) -> None:
        state = replace(self.state(name), **fields)
        self.put(states={**self.evidence.states, state.batch_id: state})

    def change_slot(self, name: str, number: int, **fields: Any) -> None:
        slots = list(self.state(name).slots)
        slots[number] = replace(slots[number], **fields)
        self.change(name, slots=tuple(slots))

    def receive(self, *events: ReceivedEvent) -> None:
        self.put(received=[*self.evidence.received, *events])

    def miss(self, detail_type: str) -> None:
        self.put(received=[event for event in self.evidence.received if event.detail_type != detail_type])

    def redis(self, **fields: Any) -> None:
        self.put(redis=replace(self.evidence.redis, **fields))

    def metadata(self, name: str, **fields: str) -> None:
        self.redis(metadata={**self.evidence.redis.metadata, f"demo-run-{name}": fields})

    def change_redis(self, **fields: Any) -> None:
        [(state, slots)] = self.evidence.redis.open_batches
        self.redis(open_batches=[(state, replace(slots, **fields))])

    def violated(self) -> set[int]:
        return {result.invariant for result in check_all(self.evidence) if result.violations}


@pytest.fixture
def case() -> Case:
    workload = make_workload([File(f"{number}.txt", ESSAY) for number in range(20)], "run", 1)
    states = {batch.batch_id: state_of(workload, batch) for batch in workload.batches}
    received = [event for batch in workload.batches for event in events_of(batch, states[batch.batch_id])]
    metadata = {name: {"status": state.status, "version": "4"} for name, state in states.items()}
    incomplete = states[workload.incomplete.batch_id]
    redis = RedisEvidence(FLUSHED_AT, [(incomplete, slots_of(incomplete))], metadata)
    return Case(Evidence(workload, states, redis, received, 0, ["MISSING_FIELD"]))


def test_evidence_in_order_has_no_violation(case: Case) -> None:
    assert case.violated() == set()


def test_an_event_that_is_delivered_twice_is_no_violation(case: Case) -> None:
    case.receive(*case.evidence.received)
    assert case.violated() == set()


def announced_elsewhere(case: Case) -> None:
    text_id = case.state("complete").slots[0].text_id
    data = {"assignments": [{"essay_id": "elsewhere", "text_storage_id": text_id}]}
    case.receive(ReceivedEvent("EssaySlotsAssigned", "another", {"batch_id": "demo-run-complete", **data}))


def no_row(case: Case) -> None:
    case.put(states={name: s for name, s in case.evidence.states.items() if not name.endswith("-complete")})


def other_id(case: Case) -> None:
    case.miss("BatchValidationErrors")
    case.receive(final(case.batch("invalid"), "another"))


def excess_while_open(case: Case) -> None:
    case.change("incomplete", excess=dict.fromkeys(case.state("incomplete").excess, "NO_AVAILABLE_SLOT"))


def second_type(case: Case) -> None:
    case.receive(ReceivedEvent("BatchReadinessTimeout", "another", {"batch_id": "demo-run-complete"}))


def two_slots(case: Case) -> None:
    case.change_slot("complete", 1, text_id=case.state("complete").slots[0].text_id)


# The invariant, what is said of the evidence, and how it was tampered with.
TAMPERING: list[tuple[int, str, Callable[[Case], None]]] = [
    (
        1,
        "the slots are not the registered ones",
        lambda c: c.change("complete", slots=c.slots("complete")[1:]),
    ),
    (1, "the counts are 4 and 1, the rows {'assigned': 4}", lambda c: c.change("complete", failed=1)),
    (1, "Postgres has no row of the batch", no_row),
    (2, "text-run-0001 owns 2 slots", two_slots),
    (2, "text-run-0001 was announced with", announced_elsewhere),
    (3, "it is ready, and its terminal events are BatchEssaysReady, BatchReadinessTimeout", second_type),
    (3, "it is timed_out", lambda c: c.change("complete", status="timed_out")),
    (4, "it is open with 4 of 4 slots used", lambda c: c.change("complete", status="open")),
    (4, "it is ready with 4 of 6 slots used", lambda c: c.change("incomplete", status="ready")),
    (5, "it has 2 terminal events", lambda c: c.receive(final(c.batch("complete"), "another"))),
    (5, "it has 0 terminal events", lambda c: c.miss("BatchEssaysReady")),
    (5, "the id of its terminal event is not derived", other_id),
    (5, "the digest of its terminal event", lambda c: c.change_slot("complete", 0, text_id="tampered")),
    (6, "the announced assignments are not those", lambda c: c.miss("EssaySlotsAssigned")),
    (6, "1 events are still in the outbox", lambda c: c.change("complete", unsent=1)),
    (7, "has no outcome", lambda c: c.change("crowded", excess={})),
    (7, "upload:nobody was never sent", lambda c: c.change("mixed", late=("upload:nobody",))),
    (7, "content:text-run-0001 has 2 outcomes", lambda c: c.change("complete", excess={"text-run-0001": ""})),
    (7, "is still parked", lambda c: c.change("early", parked=("content:text-run-0001",))),
    (8, "it is ready, planned was BatchValidationErrors", lambda c: c.change("invalid", status="ready")),
    (8, "1 slots are used, planned were 4", lambda c: c.change("complete", assigned=1)),
    (9, "0 excess contents were announced", lambda c: c.miss("ExcessContentProvisioned")),
    (9, "a content is excess, and 2 slots are free", excess_while_open),
    (
        9,
        "is excess by NO_AVAILABLE_SLOT, and the batch is open",
        lambda c: c.change("crowded", status="open"),
    ),
    (10, "the free slots in Redis are []", lambda c: c.change_redis(free=frozenset())),
    (10, "the assigned slots in Redis", lambda c: c.change_redis(contents={})),
    (10, "the failed slots in Redis", lambda c: c.change_redis(failures={"upload:u": "s"})),
    (10, "Redis does not know it", lambda c: c.metadata("complete")),
    (10, "open 4 in Redis, ready 5", lambda c: c.metadata("complete", status="open", version="4")),
    (10, "ready 6 in Redis, ready 5", lambda c: c.metadata("complete", status="ready", version="6")),
    (11, "1 messages are still in the queues", lambda c: c.put(queued=1)),
    (11, "the dead letters are []", lambda c: c.put(dead_letters=[])),
    (12, "a slot was used after the deadline", lambda c: c.change_slot("complete", 0, in_time=False)),
    (12, "it timed out before its deadline", lambda c: c.change("incomplete", closed_after_deadline=False)),
]


@pytest.mark.parametrize(("number", "what", "tamper"), TAMPERING, ids=[f"{n} {w}" for n, w, _ in TAMPERING])
def test_tampered_evidence_is_found(
    case: Case, number: int, what: str, tamper: Callable[[Case], None]
) -> None:
    tamper(case)
    [result] = [each for each in check_all(case.evidence) if each.invariant == number]
    assert [violation for violation in result.violations if what in violation]


def test_every_invariant_of_the_catalogue_is_checked_and_tried(case: Case) -> None:
    assert [result.invariant for result in check_all(case.evidence)] == list(INVARIANTS)
    assert {number for number, _, _ in TAMPERING} == set(INVARIANTS)


def test_redis_need_not_know_batches_that_were_closed_before_the_flush(case: Case) -> None:
    case.change("complete", changed_at=FLUSHED_AT - 1)
    case.metadata("complete")
    assert case.violated() == set()
