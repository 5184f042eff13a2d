"""The judge of the demo has teeth: a world that was tampered with breaks the promise it was tampered with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from dev.demo.checks import FINAL, Evidence, Redis, judge
from dev.demo.evidence import Book, Slot
from dev.demo.files import File
from dev.demo.workload import Batch, Plan, make_plan
from dev.deploy.stack import Heard

if TYPE_CHECKING:
    from collections.abc import Callable

ESSAY = b"I once had a cat that could open every door but its own. " * 3
STATUS = {kind: status for status, kind in FINAL.items()}
FORGOT_AT = 100.0


def book_of(plan: Plan, batch: Batch) -> Book:
    """Return the book of a batch as it ought to be: the files in order take the slots in order."""
    slots: list[Slot] = []
    excess: dict[str, str] = {}
    for number, upload in enumerate(batch.uploads):
        if number >= batch.slots:
            excess[upload.text_id] = "NO_AVAILABLE_SLOT"
        elif upload.refusal:
            slots.append(Slot(batch.essay_ids[number], "failed", None, upload.identity, in_time=True))
        else:
            slots.append(Slot(batch.essay_ids[number], "assigned", upload.text_id, None, in_time=True))
    slots += [Slot(name, "available", None, None, None) for name in batch.essay_ids[len(slots) :]]
    if batch is plan.overdue:
        excess[plan.latecomer.text_id] = "BATCH_TIMED_OUT"
    return Book(
        batch.batch_id,
        STATUS[batch.final],
        version=5,
        expected=batch.slots,
        assigned=sum(slot.text_id is not None for slot in slots),
        failed=sum(slot.failure is not None for slot in slots),
        seconds_left=0.0,
        closed_after_deadline=batch is plan.overdue,
        changed_at=FORGOT_AT + 1,
        slots=tuple(slots),
        late=(),
        excess=excess,
        parked=(),
        unsent=0,
    )


def events_of(batch: Batch, book: Book) -> list[Heard]:
    pairs = [(slot.essay_id, slot.text_id) for slot in book.slots if slot.text_id]
    lines = "".join(sorted(f"{essay_id} {text_id}\n" for essay_id, text_id in pairs))
    name = {"batch_id": batch.batch_id}
    assignments = [{"essay_id": essay_id, "text_storage_id": text_id} for essay_id, text_id in pairs]
    final = name | {"digest": hashlib.sha256(lines.encode()).hexdigest()}
    return [
        Heard("EssaySlotsAssigned", f"{batch.name}-a", name | {"assignments": assignments}),
        *(
            Heard("ExcessContentProvisioned", text_id, name | {"text_storage_id": text_id, "reason": reason})
            for text_id, reason in book.excess.items()
        ),
        Heard(batch.final, f"{batch.name}-final", final),
    ]


@dataclass
class Judged:
    """Evidence without a fault, to be tampered with."""

    evidence: Evidence

    def book(self, name: str) -> Book:
        return self.evidence.books[f"demo-run-{name}"]

    def change(self, name: str, **fields: Any) -> None:
        book = replace(self.book(name), **fields)
        self.evidence = replace(self.evidence, books={**self.evidence.books, book.batch_id: book})

    def change_slot(self, name: str, number: int, **fields: Any) -> None:
        slots = list(self.book(name).slots)
        slots[number] = replace(slots[number], **fields)
        self.change(name, slots=tuple(slots))

    def hear(self, *events: Heard) -> None:
        self.evidence = replace(self.evidence, heard=[*self.evidence.heard, *events])

    def miss(self, kind: str) -> None:
        heard = [event for event in self.evidence.heard if event.detail_type != kind]
        self.evidence = replace(self.evidence, heard=heard)

    def redis(self, **fields: Any) -> None:
        self.evidence = replace(self.evidence, redis=replace(self.evidence.redis, **fields))

    def metadata(self, name: str, **fields: str) -> None:
        self.redis(metadata={**self.evidence.redis.metadata, f"demo-run-{name}": fields})

    def broken(self) -> set[str]:
        return {each.promise.split()[0] for each in judge(self.evidence) if each.breaches}


@pytest.fixture
def judged() -> Judged:
    plan = make_plan([File(f"{number}.txt", ESSAY) for number in range(20)], "run", 1)
    books = {batch.batch_id: book_of(plan, batch) for batch in plan.batches}
    heard = [event for batch in plan.batches for event in events_of(batch, books[batch.batch_id])]
    metadata = {name: {"status": book.status, "version": "4"} for name, book in books.items()}
    redis = Redis(FORGOT_AT, {plan.overdue.batch_id: None}, metadata)
    return Judged(Evidence(plan, books, redis, heard, 0, ["MISSING_FIELD"]))


def test_a_world_in_order_breaks_no_promise(judged: Judged) -> None:
    assert judged.broken() == set()


def test_an_event_that_is_delivered_twice_breaks_no_promise(judged: Judged) -> None:
    judged.hear(*judged.evidence.heard)
    assert judged.broken() == set()


def owns_two(judged: Judged) -> None:
    judged.change_slot("whole", 1, text_id=judged.book("whole").slots[0].text_id)


def second_final(judged: Judged) -> None:
    judged.hear(Heard("BatchEssaysReady", "another", {"batch_id": "demo-run-whole"}))


def another_kind(judged: Judged) -> None:
    judged.hear(Heard("BatchReadinessTimeout", "another", {"batch_id": "demo-run-whole"}))


def announced_elsewhere(judged: Judged) -> None:
    text_id = judged.book("whole").slots[0].text_id
    data = {"assignments": [{"essay_id": "elsewhere", "text_storage_id": text_id}]}
    judged.hear(Heard("EssaySlotsAssigned", "another", {"batch_id": "demo-run-whole", **data}))


def unknown(judged: Judged) -> None:
    books = {name: book for name, book in judged.evidence.books.items() if not name.endswith("whole")}
    judged.evidence = replace(judged.evidence, books=books)


def no_slot(judged: Judged) -> None:
    book = judged.book("forgotten")
    judged.change("forgotten", excess=dict.fromkeys(book.excess, "NO_AVAILABLE_SLOT"))


TAMPERING: list[tuple[str, str, Callable[[Judged], None]]] = [
    ("1", "a slot too few", lambda j: j.change("whole", slots=j.book("whole").slots[1:])),
    ("1", "counts that are not the rows", lambda j: j.change("whole", failed=1)),
    ("1", "a batch that the record does not know", unknown),
    ("2", "a content that owns two slots", owns_two),
    ("2", "a content that was announced with two slots", announced_elsewhere),
    ("3", "a batch that was closed in two ways", another_kind),
    ("3", "another status than announced", lambda j: j.change("whole", status="timed_out")),
    ("4", "a full batch that is open", lambda j: j.change("whole", status="open")),
    ("4", "a ready batch with free slots", lambda j: j.change("forgotten", status="ready")),
    ("5", "a second final result", second_final),
    ("5", "no final result", lambda j: j.miss("BatchEssaysReady")),
    ("5", "another record than the digest says", lambda j: j.change_slot("whole", 0, text_id="tampered")),
    ("6", "assignments that nobody heard of", lambda j: j.miss("EssaySlotsAssigned")),
    ("6", "an event that is still in the outbox", lambda j: j.change("whole", unsent=1)),
    ("7", "a file without an outcome", lambda j: j.change("crowded", excess={})),
    ("7", "a file that was never sent", lambda j: j.change("mixed", late=("upload:nobody",))),
    ("7", "a file that is still parked", lambda j: j.change("early", parked=("content:text-run-0001",))),
    ("8", "another end than planned", lambda j: j.change("hopeless", status="ready")),
    ("8", "fewer slots in use than planned", lambda j: j.change("whole", assigned=1)),
    ("9", "excess that nobody heard of", lambda j: j.miss("ExcessContentProvisioned")),
    ("9", "excess while slots are free", no_slot),
    ("9", "excess in an open batch", lambda j: j.change("crowded", status="open")),
    ("10", "a slot that Redis has wrong", lambda j: j.redis(compared={"demo-run-forgotten": "wrong"})),
    ("10", "a batch that Redis does not know again", lambda j: j.metadata("whole")),
    ("10", "a status that Redis has wrong", lambda j: j.metadata("whole", status="open", version="4")),
    ("10", "a version of the future", lambda j: j.metadata("whole", status="ready", version="6")),
    ("11", "a message that waits", lambda j: setattr(j, "evidence", replace(j.evidence, queued=1))),
    ("11", "poison lost", lambda j: setattr(j, "evidence", replace(j.evidence, dead_letters=[]))),
    ("12", "a slot used too late", lambda j: j.change_slot("whole", 0, in_time=False)),
    ("12", "a timeout too early", lambda j: j.change("forgotten", closed_after_deadline=False)),
]


@pytest.mark.parametrize(("promise", "tamper"), [pytest.param(p, t, id=f"{p} {w}") for p, w, t in TAMPERING])
def test_what_was_tampered_with_is_found(
    judged: Judged, promise: str, tamper: Callable[[Judged], None]
) -> None:
    tamper(judged)
    assert promise in judged.broken()


def test_every_promise_has_a_tampered_world() -> None:
    assert {promise for promise, _, _ in TAMPERING} == {str(number) for number in range(1, 13)}


def test_what_was_closed_before_redis_forgot_need_not_be_known_again(judged: Judged) -> None:
    judged.change("whole", changed_at=FORGOT_AT - 1)
    judged.metadata("whole")
    assert judged.broken() == set()
