"""The promises of the design, each checked against Postgres, Redis and what came out on the bus."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dev.demo.evidence import Book
    from dev.demo.workload import Batch, Plan
    from dev.deploy.stack import Heard

FINAL = {"ready": "BatchEssaysReady", "failed": "BatchValidationErrors", "timed_out": "BatchReadinessTimeout"}


@dataclass(frozen=True)
class Redis:
    """What Redis said: nothing after `forgot_at`, of open batches what differed, and of all at the end."""

    forgot_at: float
    compared: Mapping[str, str | None]
    metadata: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end."""

    plan: Plan
    books: Mapping[str, Book]
    redis: Redis
    heard: Sequence[Heard]
    queued: int
    dead_letters: Sequence[str]

    def of(self, batch: Batch, *kinds: str) -> list[Heard]:
        """Return the events of a batch of some kinds."""
        return [e for e in self.heard if e.data["batch_id"] == batch.batch_id and e.detail_type in kinds]


@dataclass(frozen=True)
class Verdict:
    """One promise and what speaks against it: nothing, when it holds."""

    promise: str
    breaches: tuple[str, ...]


def judge(evidence: Evidence) -> list[Verdict]:
    """Check every promise on every batch."""
    checks = {
        "1 slots are disjoint and exactly the registered ones": _slots,
        "2 a content owns one slot, and keeps it": _owners,
        "3 a batch is closed once, in one way": _closed_once,
        "4 a full batch is ready or failed": _full,
        "5 one final result per batch, with one id, and true": _final_result,
        "6 every fact was announced, nothing is left to send": _announced,
        "7 every file ended in exactly one outcome": _outcomes,
        "8 the result is the planned one, whatever the order": _planned,
        "9 excess only where Postgres had no slot left, announced once": _excess,
        "10 what Redis forgot was rebuilt from the record, slot by slot": _redis,
        "12 only the deadline decides what is too late": _deadline,
    }
    verdicts = [
        Verdict(
            promise,
            tuple(f"{b.name}: {what}" for b in evidence.plan.batches for what in _found(one, evidence, b)),
        )
        for promise, one in checks.items()
    ]
    alone = Verdict("11 queues are empty; the poison alone is a dead letter", tuple(_queues(evidence)))
    return [*verdicts[:10], alone, *verdicts[10:]]


def _found(
    check: Callable[[Evidence, Batch], Iterator[str]], evidence: Evidence, batch: Batch
) -> Iterator[str]:
    if batch.batch_id not in evidence.books:
        yield "Postgres does not know the batch"
        return
    yield from check(evidence, batch)


def _book(evidence: Evidence, batch: Batch) -> Book:
    return evidence.books[batch.batch_id]


def _slots(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    if sorted(slot.essay_id for slot in book.slots) != sorted(batch.essay_ids):
        yield "other slots than the registered ones"
    counts = Counter(slot.status for slot in book.slots)
    if (counts["assigned"], counts["failed"]) != (book.assigned, book.failed):
        yield f"counts {book.assigned} and {book.failed}, rows {counts}"


def _owners(evidence: Evidence, batch: Batch) -> Iterator[str]:
    owned = Counter(slot.text_id for slot in _book(evidence, batch).slots if slot.text_id)
    yield from (f"{text_id} owns {count} slots" for text_id, count in owned.items() if count > 1)
    said: dict[str, str] = {}
    for text_id, essay_id in sorted(_assignments(evidence, batch)):
        if said.setdefault(text_id, essay_id) != essay_id:
            yield f"{text_id} was given {said[text_id]} and {essay_id}"


def _closed_once(evidence: Evidence, batch: Batch) -> Iterator[str]:
    kinds = {event.detail_type for event in evidence.of(batch, *FINAL.values())}
    status = _book(evidence, batch).status
    if kinds != {FINAL.get(status)}:
        yield f"{status} in the record, {', '.join(sorted(kinds)) or 'nothing'} on the bus"


def _full(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    if (book.assigned + book.failed == book.expected) != (book.status in {"ready", "failed"}):
        yield f"{book.status} with {book.assigned + book.failed} of {book.expected} slots used"


def _final_result(evidence: Evidence, batch: Batch) -> Iterator[str]:
    events = evidence.of(batch, *FINAL.values())
    if len({event.event_id for event in events}) != 1:
        yield f"{len({event.event_id for event in events})} final results"
    lines = sorted(f"{s.essay_id} {s.text_id}\n" for s in _book(evidence, batch).slots if s.text_id)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    if any(event.data.get("digest", digest) != digest for event in events):
        yield "the digest of the final result is not that of the record"


def _announced(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    if {(s.text_id, s.essay_id) for s in book.slots if s.text_id} != _assignments(evidence, batch):
        yield "the announced assignments are not those of the record"
    if book.unsent:
        yield f"{book.unsent} events are still in the outbox"


def _outcomes(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    ends = Counter(f"content:{slot.text_id}" for slot in book.slots if slot.text_id)
    ends.update(slot.failure for slot in book.slots if slot.failure)
    ends.update([*(f"content:{text_id}" for text_id in book.excess), *book.late, *book.parked])
    arrivals = evidence.plan.arrivals(batch)
    yield from (f"{identity} has no outcome" for identity in sorted(arrivals - set(ends)))
    yield from (f"{identity} was never sent" for identity in sorted(set(ends) - arrivals))
    yield from (f"{identity} has {count} outcomes" for identity, count in ends.items() if count > 1)
    yield from (f"{identity} is still parked" for identity in book.parked)


def _planned(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    planned = min(len(batch.uploads), batch.slots)
    if FINAL.get(book.status) != batch.final:
        yield f"planned {batch.final}, is {book.status}"
    # Around the deadline the order decides, as promised: what came late is excess, not bound.
    in_time = book.assigned + book.failed + Counter(book.excess.values())["BATCH_TIMED_OUT"]
    if in_time - (batch is evidence.plan.overdue) != planned:
        yield f"planned {planned} used slots, {book.assigned + book.failed} are"


def _excess(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    events = evidence.of(batch, "ExcessContentProvisioned")
    said = {event.data["text_storage_id"]: event.data["reason"] for event in events}
    if said != book.excess or len({event.event_id for event in events}) != len(said):
        yield f"{len(events)} announced, {len(book.excess)} in the record"
    fits = {"NO_AVAILABLE_SLOT": {"ready", "failed"}, "BATCH_TIMED_OUT": {"timed_out"}}
    for text_id, reason in book.excess.items():
        if book.status not in fits[reason]:
            yield f"{text_id} is excess by {reason}, the batch is {book.status}"
    free = sum(slot.status == "available" for slot in book.slots)
    if free and "NO_AVAILABLE_SLOT" in book.excess.values():
        yield f"excess with {free} slots free"


def _redis(evidence: Evidence, batch: Batch) -> Iterator[str]:
    redis, book = evidence.redis, _book(evidence, batch)
    known = redis.metadata.get(batch.batch_id)
    if different := redis.compared.get(batch.batch_id):
        yield different
    if known and (known["status"] != book.status or int(known["version"]) > book.version):
        yield f"{known['status']} {known['version']} in Redis, {book.status} {book.version} in Postgres"
    # What was closed before Redis forgot, and not touched since, need not be known again.
    if not known and book.changed_at > redis.forgot_at:
        yield "it changed after Redis forgot, and Redis does not know it"


def _queues(evidence: Evidence) -> Iterator[str]:
    if evidence.queued:
        yield f"{evidence.queued} messages are still queued"
    if list(evidence.dead_letters) != ["MISSING_FIELD"]:
        yield f"dead letters: {list(evidence.dead_letters)}"


def _deadline(evidence: Evidence, batch: Batch) -> Iterator[str]:
    book = _book(evidence, batch)
    if any(slot.in_time is False for slot in book.slots):
        yield "a slot was used after the deadline"
    if book.status == "timed_out" and not book.closed_after_deadline:
        yield "timed out before its deadline"


def _assignments(evidence: Evidence, batch: Batch) -> set[tuple[str, str]]:
    return {
        (slot["text_storage_id"], slot["essay_id"])
        for event in evidence.of(batch, "EssaySlotsAssigned")
        for slot in event.data["assignments"]
    }
