"""Checks every invariant of the catalogue on the evidence of a demo, and names what violates it.

It shares no code with what it judges: identities, event ids and digests are computed again in
`dev.invariants.derivations`, and of the service not even a data type is used.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.invariants.catalogue import INVARIANTS
from dev.invariants.derivations import TERMINAL_EVENTS, content_identity, digest, event_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.demo.evidence import BatchState, Evidence, RedisSlots
    from dev.demo.workload import Batch


@dataclass(frozen=True)
class CheckResult:
    """One invariant and what violates it: nothing, when it holds."""

    invariant: int
    violations: tuple[str, ...]


def check_all(evidence: Evidence) -> list[CheckResult]:
    """Check every invariant, each on every batch."""
    return [CheckResult(number, tuple(_violations(number, evidence))) for number in INVARIANTS]


def _violations(number: int, evidence: Evidence) -> Iterator[str]:
    if number in _OF_EVERYTHING:
        yield from _OF_EVERYTHING[number](evidence)
        return
    for batch in evidence.workload.batches:
        if batch.batch_id not in evidence.states:
            yield f"{batch.name}: Postgres has no row of the batch"
            continue
        state = evidence.states[batch.batch_id]
        yield from (f"{batch.name}: {what}" for what in _OF_A_BATCH[number](evidence, batch, state))


def _slots(_: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    if sorted(slot.essay_id for slot in state.slots) != sorted(batch.essay_ids):
        yield "the slots are not the registered ones"
    counts = Counter(slot.status for slot in state.slots)
    if (counts["assigned"], counts["failed"]) != (state.assigned, state.failed):
        yield f"the counts are {state.assigned} and {state.failed}, the rows {dict(counts)}"


def _owners(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    owned = Counter(slot.text_id for slot in state.slots if slot.text_id)
    yield from (f"{text_id} owns {count} slots" for text_id, count in owned.items() if count > 1)
    first: dict[str, str] = {}
    for essay_id, text_id in sorted(_announced(evidence, batch)):
        if first.setdefault(text_id, essay_id) != essay_id:
            yield f"{text_id} was announced with {first[text_id]} and {essay_id}"


def _leaves_open_once(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    types = {event.detail_type for event in evidence.events(batch, *TERMINAL_EVENTS.values())}
    if types != {TERMINAL_EVENTS.get(state.status)}:
        yield f"it is {state.status}, and its terminal events are {', '.join(sorted(types)) or 'none'}"


def _completion(_: Evidence, __: Batch, state: BatchState) -> Iterator[str]:
    used = state.assigned + state.failed
    if (used == state.expected) != (state.status in {"ready", "failed"}):
        yield f"it is {state.status} with {used} of {state.expected} slots used"


def _terminal_event(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    events = evidence.events(batch, *TERMINAL_EVENTS.values())
    ids = {event.event_id for event in events}
    if len(ids) != 1:
        yield f"it has {len(ids)} terminal events"
    if any(event.event_id != str(event_id(batch.batch_id, event.detail_type)) for event in events):
        yield "the id of its terminal event is not derived from batch and type"
    expected = digest(state.assignments)
    if any(event.data.get("digest", expected) != expected for event in events):
        yield "the digest of its terminal event does not match Postgres"


def _announcements(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    if state.assignments != _announced(evidence, batch):
        yield "the announced assignments are not those in Postgres"
    if state.unsent:
        yield f"{state.unsent} events are still in the outbox"


def _outcomes(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    outcomes = Counter(content_identity(slot.text_id) for slot in state.slots if slot.text_id)
    outcomes.update(slot.failure for slot in state.slots if slot.failure)
    outcomes.update([*map(content_identity, state.excess), *state.late, *state.parked])
    sent = evidence.workload.identities(batch)
    yield from (f"{identity} has no outcome" for identity in sorted(sent - set(outcomes)))
    yield from (f"{identity} was never sent" for identity in sorted(set(outcomes) - sent))
    yield from (f"{identity} has {count} outcomes" for identity, count in outcomes.items() if count > 1)
    yield from (f"{identity} is still parked" for identity in state.parked)


def _as_planned(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    planned = min(len(batch.uploads), batch.slots)
    if TERMINAL_EVENTS.get(state.status) != batch.final:
        yield f"it is {state.status}, planned was {batch.final}"
    # Around the deadline the order decides: a content that came late is excess instead of assigned.
    late = Counter(state.excess.values())["BATCH_TIMED_OUT"] - (batch is evidence.workload.incomplete)
    if state.assigned + state.failed + late != planned:
        yield f"{state.assigned + state.failed} slots are used, planned were {planned}"


def _excess(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    events = evidence.events(batch, "ExcessContentProvisioned")
    announced = {event.data["text_storage_id"]: event.data["reason"] for event in events}
    if announced != state.excess or len({event.event_id for event in events}) != len(announced):
        yield f"{len(events)} excess contents were announced, Postgres has {len(state.excess)}"
    allowed = {"NO_AVAILABLE_SLOT": {"ready", "failed"}, "BATCH_TIMED_OUT": {"timed_out"}}
    for text_id, reason in state.excess.items():
        if state.status not in allowed.get(reason, set()):
            yield f"{text_id} is excess by {reason}, and the batch is {state.status}"
    free = sum(slot.status == "available" for slot in state.slots)
    if free and "NO_AVAILABLE_SLOT" in state.excess.values():
        yield f"a content is excess, and {free} slots are free"


def _redis(evidence: Evidence, batch: Batch, state: BatchState) -> Iterator[str]:
    for before, slots in evidence.redis.open_batches:
        if before.batch_id == batch.batch_id:
            yield from _slots_in_redis(before, slots)
    known = evidence.redis.metadata.get(batch.batch_id)
    if known and (known["status"] != state.status or int(known["version"]) > state.version):
        stores = f"{known['status']} {known['version']} in Redis, {state.status} {state.version} in Postgres"
        yield f"its status and version are {stores}"
    # A batch that was closed before the flush, and not touched since, need not be known again.
    if not known and state.changed_at > evidence.redis.flushed_at:
        yield "it changed after the flush, and Redis does not know it"


def _slots_in_redis(state: BatchState, redis: RedisSlots) -> Iterator[str]:
    if redis.free != {slot.essay_id for slot in state.slots if slot.status == "available"}:
        yield f"the free slots in Redis are {sorted(redis.free)}, not those of Postgres"
    if redis.contents != {slot.text_id: slot.essay_id for slot in state.slots if slot.text_id}:
        yield "the assigned slots in Redis are not those of Postgres"
    if redis.failures != {slot.failure: slot.essay_id for slot in state.slots if slot.failure}:
        yield "the failed slots in Redis are not those of Postgres"


def _queues(evidence: Evidence) -> Iterator[str]:
    if evidence.queued:
        yield f"{evidence.queued} messages are still in the queues"
    if list(evidence.dead_letters) != ["MISSING_FIELD"]:
        yield f"the dead letters are {list(evidence.dead_letters)}, expected was the one poison message"


def _deadline(_: Evidence, __: Batch, state: BatchState) -> Iterator[str]:
    if any(slot.in_time is False for slot in state.slots):
        yield "a slot was used after the deadline"
    if state.status == "timed_out" and not state.closed_after_deadline:
        yield "it timed out before its deadline"


def _announced(evidence: Evidence, batch: Batch) -> set[tuple[str, str]]:
    return {
        (slot["essay_id"], slot["text_storage_id"])
        for event in evidence.events(batch, "EssaySlotsAssigned")
        for slot in event.data["assignments"]
    }


_OF_A_BATCH: dict[int, Callable[[Evidence, Batch, BatchState], Iterator[str]]] = {
    1: _slots,
    2: _owners,
    3: _leaves_open_once,
    4: _completion,
    5: _terminal_event,
    6: _announcements,
    7: _outcomes,
    8: _as_planned,
    9: _excess,
    10: _redis,
    12: _deadline,
}
_OF_EVERYTHING: dict[int, Callable[[Evidence], Iterator[str]]] = {11: _queues}
