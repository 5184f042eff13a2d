"""The judge: checks the invariants on the evidence and names each violation by invariant and batch.

It shares no code with what it judges: identities, event ids and digests are computed again in `derivations`.
Of the service it reads only plain data: snapshots, statuses, reasons and messages. Most invariants hold at
every instant, also in the middle of a crash; some only once no message is in flight.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from dev.invariants.catalogue import INVARIANTS
from dev.invariants.derivations import TERMINAL_EVENTS, content_identity, event_id
from dev.invariants.final_results import final_result, final_result_received, leaves_open_once
from els_core.domain.batches import Status
from els_core.domain.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.invariants.evidence import BatchEvidence, Evidence


class Violation(NamedTuple):
    """An invariant that does not hold, for which batch, and what shows it."""

    invariant: int
    batch_id: str
    detail: str

    def __str__(self) -> str:
        invariant = f"invariant {self.invariant} ({INVARIANTS[self.invariant]})"
        return f"batch {self.batch_id}: {self.detail}; violates {invariant}"


def violations(evidence: Evidence, *, is_quiescent: bool) -> list[Violation]:
    """Return every violation; with `is_quiescent`, also of what must hold once no message is in flight."""
    found = [
        Violation(invariant, batch.batch_id, detail)
        for checks in (_AT_EVERY_INSTANT, _WHEN_QUIESCENT if is_quiescent else ())
        for batch in evidence.batches.values()
        for invariant, check in checks
        for detail in check(evidence, batch)
    ]
    if is_quiescent:
        found += [Violation(7, batch_id, "Postgres has no row") for batch_id in _missing(evidence)]
    return found


def _missing(evidence: Evidence) -> set[str]:
    named = {arrival.batch_id for arrival in evidence.sent}
    named |= {registration.batch_id for registration in evidence.registered}
    return named - set(evidence.batches)


def _slots(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    slots = [
        *batch.snapshot.available,
        *(slot.essay_id for slot in batch.snapshot.assigned),
        *(str(failure.essay_id) for failure in batch.slot_failures),
    ]
    known = sorted([*slots, *batch.snapshot.withdrawn])
    if batch.batch.status is Status.AWAITED or batch.batch.fingerprint is None:
        if known:
            yield f"it was never registered and has slots {known}"
        return
    if len(slots) != batch.batch.expected_count:
        yield f"it expects {batch.batch.expected_count} slots and has {len(slots)}"
    registered = {
        frozenset(registration.essay_ids)
        for registration in evidence.registrations(batch.batch_id)
        if registration.fingerprint == batch.batch.fingerprint
    }
    added = evidence.added_slots(batch.batch_id)
    if len(set(known)) < len(known) or not any(one <= set(known) <= one | added for one in registered):
        yield f"its slots are {slots}, registered were {registered}"


def _counts(_: Evidence, batch: BatchEvidence) -> Iterator[str]:
    row = batch.batch
    counted = (len(batch.snapshot.assigned), len(batch.slot_failures))
    if counted != (row.assigned_count, row.failed_count):
        yield f"its counts are {(row.assigned_count, row.failed_count)}, its rows {counted}"


def _owners(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    contents = Counter(slot.text_storage_id for slot in batch.snapshot.assigned)
    yield from (f"content {name} owns {count} slots" for name, count in contents.items() if count > 1)
    yield from (f"content {name} is excess and owns a slot" for name in contents if name in batch.excess)
    owners = [*map(content_identity, contents), *(failure.identity for failure in batch.slot_failures)]
    yield from (f"{name} is superseded and owns a slot" for name in owners if name in batch.superseded)
    announced: dict[str, set[str]] = {}
    for data in evidence.data(batch.batch_id, "EssaySlotsAssigned"):
        for assignment in data["assignments"]:
            announced.setdefault(assignment["text_storage_id"], set()).add(assignment["essay_id"])
    owned = {slot.text_storage_id: {slot.essay_id} for slot in batch.snapshot.assigned}
    for name, slots in announced.items():
        if owned.get(name) != slots and content_identity(name) not in batch.superseded:
            yield f"content {name} was announced with {slots} and owns {owned.get(name)}"


def _completion(_: Evidence, batch: BatchEvidence) -> Iterator[str]:
    row = batch.batch
    if row.fingerprint is None:
        return
    is_full = row.assigned_count + row.failed_count >= row.expected_count
    completed = Status.READY if row.assigned_count else Status.FAILED
    if is_full and row.status is not completed:
        yield f"every slot is used and it is {row.status}"
    if not is_full and row.status in {Status.READY, Status.FAILED}:
        yield f"it is {row.status} with {len(batch.snapshot.available)} slots free"


def _announcements(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    announced = Counter(
        assignment["text_storage_id"]
        for data in evidence.data(batch.batch_id, "EssaySlotsAssigned")
        for assignment in data["assignments"]
    )
    for slot in batch.snapshot.assigned:
        if announced[slot.text_storage_id] != 1:
            yield f"content {slot.text_storage_id} was announced {announced[slot.text_storage_id]} times"
    excess = Counter(d["text_storage_id"] for d in evidence.data(batch.batch_id, "ExcessContentProvisioned"))
    taken_in = {slot.text_storage_id for slot in batch.snapshot.assigned if batch.batch.epoch > 1}
    gone = taken_in | {name for name in excess if content_identity(name) in batch.superseded}
    if Counter({name: count for name, count in excess.items() if name not in gone}) != Counter(
        batch.excess.keys()
    ):
        yield f"excess is {sorted(batch.excess)}, announced was {dict(excess)}"


def _rejections(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    batch_id, event_type = batch.batch_id, "BatchRegistrationRejected"
    others = {one.fingerprint for one in evidence.registrations(batch_id)} - {batch.batch.fingerprint}
    wanted = {event_id(batch_id, event_type, fingerprint) for fingerprint in others}
    announced = {message.event_id for message in evidence.received if message.detail_type == event_type}
    if not wanted <= announced:
        yield f"{len(wanted)} registrations were rejected, announced were {len(wanted & announced)}"


def _overdue(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    announced = Counter(
        arrival["identity"]
        for data in evidence.data(batch.batch_id, "ParkedContentOverdue")
        for arrival in data["arrivals"]
    )
    yield from (f"{name} was announced as overdue {n} times" for name, n in announced.items() if n > 1)


def _outbox_is_empty(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    left = [message.detail_type for message in evidence.outbox if message.batch_id == batch.batch_id]
    if left:
        yield f"{left} are still in the outbox"


def _outcomes(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    outcomes = batch.outcomes()
    sent = evidence.identities(batch.batch_id)
    yield from (f"{name} has {count} outcomes" for name, count in outcomes.items() if count > 1)
    yield from (f"{name} was never sent" for name in sorted(set(outcomes) - sent))
    if batch.parked and batch.batch.status is not Status.AWAITED:
        yield f"{sorted(batch.parked)} are still parked though it is registered"


def _nothing_lost(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    lost = evidence.identities(batch.batch_id) - set(batch.outcomes())
    yield from (f"{name} has no outcome" for name in sorted(lost))
    if evidence.registrations(batch.batch_id) and batch.batch.status is Status.AWAITED:
        yield "its registration was lost"


def _reasons(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    status, epoch = batch.batch.status, batch.batch.epoch
    # An epoch before this one may have given the reason.
    before = [one for one in evidence.terminal_events(batch.batch_id) if evidence.epoch_of(one) < epoch]
    types = {one.detail_type for one in before}
    ended = {status, *(each for each in Status if TERMINAL_EVENTS.get(each) in types)}
    for name, reason in {**batch.excess, **batch.late}.items():
        if reason is Reason.NO_AVAILABLE_SLOT and not ended & {Status.READY, Status.FAILED}:
            yield f"{name} found no slot, and it is {status} with {len(batch.snapshot.available)} free"
        if reason is Reason.BATCH_TIMED_OUT and Status.TIMED_OUT not in ended:
            yield f"{name} was too late, and it is {status}"
        if reason is Reason.BATCH_CANCELLED and Status.CANCELLED not in ended:
            yield f"{name} came after it was cancelled, and it is {status}"


def _deadline(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    row = batch.batch
    if row.status is Status.TIMED_OUT and (row.deadline is None or row.deadline > evidence.now):
        yield f"it timed out before its deadline {row.deadline}"


def _swept(evidence: Evidence, batch: BatchEvidence) -> Iterator[str]:
    row = batch.batch
    if row.status is Status.OPEN and row.deadline is not None and row.deadline <= evidence.now:
        yield f"it is still open after its deadline {row.deadline}"


type _Check = Callable[[Evidence, BatchEvidence], Iterator[str]]

_AT_EVERY_INSTANT: tuple[tuple[int, _Check], ...] = (
    (1, _slots),
    (1, _counts),
    (2, _owners),
    (3, leaves_open_once),
    (4, _completion),
    (5, final_result),
    (6, _announcements),
    (6, _overdue),
    (7, _outcomes),
    (9, _reasons),
    (12, _deadline),
)
_WHEN_QUIESCENT: tuple[tuple[int, _Check], ...] = (
    (5, final_result_received),
    (6, _outbox_is_empty),
    (6, _rejections),
    (7, _nothing_lost),
    (12, _swept),
)
