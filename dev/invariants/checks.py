"""The promises of the design, checked against the books; what is broken is named by promise and batch.

Most hold at every instant, also in the middle of a crash; some only when nothing is on its way any more.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid5

from dev.invariants.catalogue import PROMISES
from els_core.domain.batches import Status, digest_of
from els_core.domain.events import NAMESPACE, TERMINAL_EVENT_TYPES
from els_core.domain.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dev.invariants.evidence import Books, Page


class Breach(NamedTuple):
    """A broken promise."""

    promise: int
    batch_id: str
    what: str

    def __str__(self) -> str:
        return f"promise {self.promise}, batch {self.batch_id}: {self.what} ({PROMISES[self.promise]})"


def breaches(books: Books, *, is_quiet: bool) -> list[Breach]:
    """Return every broken promise; with `is_quiet`, also what must hold once nothing is on its way."""
    found = [
        Breach(promise, page.batch_id, what)
        for page in books.pages.values()
        for promise, check in _AT_EVERY_INSTANT
        for what in check(books, page)
    ]
    if is_quiet:
        found += [
            Breach(promise, page.batch_id, what)
            for page in books.pages.values()
            for promise, check in _WHEN_QUIET
            for what in check(books, page)
        ]
        found += [Breach(7, batch_id, "nobody knows the batch") for batch_id in _missing(books)]
    return found


def _missing(books: Books) -> set[str]:
    named = {arrival.batch_id for arrival in books.sent}
    return (named | {registration.batch_id for registration in books.registered}) - set(books.pages)


def _slots(books: Books, page: Page) -> Iterator[str]:
    snapshot = page.snapshot
    slots = [
        *snapshot.available,
        *(s.essay_id for s in snapshot.assigned),
        *(str(f.essay_id) for f in snapshot.slot_failures),
    ]
    locked_view = {
        tuple(sorted(registration.essay_ids))
        for registration in books.registrations(page.batch_id)
        if registration.fingerprint == snapshot.batch.fingerprint
    }
    if snapshot.batch.status is Status.AWAITED:
        if slots:
            yield f"a batch that was never registered has slots {slots}"
    elif tuple(sorted(slots)) not in locked_view:
        yield f"its slots are {slots}, registered was {locked_view}"


def _counts(_: Books, page: Page) -> Iterator[str]:
    batch = page.batch
    counted = (len(page.snapshot.assigned), len(page.snapshot.slot_failures))
    if counted != (batch.assigned_count, batch.failed_count):
        yield f"its counts are {(batch.assigned_count, batch.failed_count)}, its rows {counted}"


def _owners(books: Books, page: Page) -> Iterator[str]:
    contents = Counter(slot.text_storage_id for slot in page.snapshot.assigned)
    yield from (f"content {name} owns {count} slots" for name, count in contents.items() if count > 1)
    yield from (f"content {name} is excess and owns a slot" for name in contents if name in page.excess)
    announced: dict[str, set[str]] = {}
    for data in books.data(page.batch_id, "EssaySlotsAssigned"):
        for assignment in data["assignments"]:
            announced.setdefault(assignment["text_storage_id"], set()).add(assignment["essay_id"])
    owned = {slot.text_storage_id: {slot.essay_id} for slot in page.snapshot.assigned}
    for name, slots in announced.items():
        if owned.get(name) != slots:
            yield f"content {name} was announced with {slots} and owns {owned.get(name)}"


def _leaves_once(books: Books, page: Page) -> Iterator[str]:
    kinds = {message.detail_type for message in books.terminal_events(page.batch_id)}
    status = page.batch.status
    if kinds - {TERMINAL_EVENT_TYPES.get(status)}:
        yield f"it is {status} and announced {sorted(kinds)}"


def _completion(_: Books, page: Page) -> Iterator[str]:
    batch = page.batch
    if batch.status is Status.AWAITED:
        return
    ends = Status.READY if batch.assigned_count else Status.FAILED
    if batch.is_full and batch.status is not ends:
        yield f"every slot is used and it is {batch.status}"
    if not batch.is_full and batch.status in {Status.READY, Status.FAILED}:
        yield f"it is {batch.status} with {len(page.snapshot.available)} slots free"


def _terminal_event(books: Books, page: Page) -> Iterator[str]:
    batch = page.batch
    events = {(message.event_id, message.detail) for message in books.terminal_events(page.batch_id)}
    if not batch.status.is_terminal:
        return
    if len(events) != 1:
        yield f"it is {batch.status} with {len(events)} different terminal events"
        return
    [(event_id, detail)] = events
    if event_id != uuid5(NAMESPACE, f"{batch.batch_id} {TERMINAL_EVENT_TYPES[batch.status]}"):
        yield f"its terminal event has the id {event_id}"
    yield from _final_data(page, json.loads(detail)["data"])


def _final_data(page: Page, data: Mapping[str, Any]) -> Iterator[str]:
    batch = page.batch
    counts = (data["expected_count"], data["assigned_count"], data["failed_count"])
    if counts != (batch.expected_count, batch.assigned_count, batch.failed_count):
        yield f"its terminal event counts {counts}"
    if "digest" in data and data["digest"] != digest_of(page.snapshot.assigned):
        yield "the digest of its terminal event is not that of the record"
    ready = [(essay["essay_id"], essay["text_storage_id"]) for essay in data.get("ready_essays", [])]
    listed = [(slot.essay_id, slot.text_storage_id) for slot in page.snapshot.assigned]
    if "ready_essays" in data and not data["lists_omitted"] and ready != listed:
        yield f"its terminal event lists {ready}"


def _terminal_event_received(books: Books, page: Page) -> Iterator[str]:
    kinds = {message.detail_type for message in books.received if message.batch_id == page.batch_id}
    wanted = TERMINAL_EVENT_TYPES.get(page.batch.status)
    if wanted is not None and wanted not in kinds:
        yield f"it is {page.batch.status} and nobody was told"


def _announcements(books: Books, page: Page) -> Iterator[str]:
    told = Counter(
        assignment["text_storage_id"]
        for data in books.data(page.batch_id, "EssaySlotsAssigned")
        for assignment in data["assignments"]
    )
    for slot in page.snapshot.assigned:
        if told[slot.text_storage_id] != 1:
            yield f"content {slot.text_storage_id} was announced {told[slot.text_storage_id]} times"
    excess = Counter(d["text_storage_id"] for d in books.data(page.batch_id, "ExcessContentProvisioned"))
    if excess != Counter(page.excess.keys()):
        yield f"excess is {sorted(page.excess)}, announced was {dict(excess)}"


def _rejections(books: Books, page: Page) -> Iterator[str]:
    batch_id = page.batch_id
    others = {one.fingerprint for one in books.registrations(batch_id)} - {page.batch.fingerprint}
    wanted = {uuid5(NAMESPACE, f"{batch_id} BatchRegistrationRejected {other}") for other in others}
    told = {m.event_id for m in books.received if m.detail_type == "BatchRegistrationRejected"}
    if not wanted <= told:
        yield f"{len(wanted)} registrations were rejected, announced were {len(wanted & told)}"


def _overdue(books: Books, page: Page) -> Iterator[str]:
    told = Counter(
        arrival["identity"]
        for data in books.data(page.batch_id, "ParkedContentOverdue")
        for arrival in data["arrivals"]
    )
    yield from (f"{name} was announced as overdue {count} times" for name, count in told.items() if count > 1)


def _nothing_left(books: Books, page: Page) -> Iterator[str]:
    left = [message.detail_type for message in books.outbox if message.batch_id == page.batch_id]
    if left:
        yield f"{left} are still in the outbox"


def _outcomes(books: Books, page: Page) -> Iterator[str]:
    ends = page.ends()
    sent = books.identities(page.batch_id)
    yield from (f"{name} has {count} outcomes" for name, count in ends.items() if count > 1)
    yield from (f"{name} was never sent" for name in set(ends) - sent)
    if page.parked and page.batch.status is not Status.AWAITED:
        yield f"{sorted(page.parked)} are still parked though it is registered"


def _nothing_lost(books: Books, page: Page) -> Iterator[str]:
    ends = page.ends()
    sent = books.identities(page.batch_id)
    yield from (f"{name} has no outcome" for name in sorted(sent - set(ends)))
    is_announced = books.registrations(page.batch_id)
    if is_announced and page.batch.status is Status.AWAITED:
        yield "its registration was lost"


def _reasons(_: Books, page: Page) -> Iterator[str]:
    status = page.batch.status
    for name, reason in {**page.excess, **page.late}.items():
        if reason is Reason.NO_AVAILABLE_SLOT and status not in {Status.READY, Status.FAILED}:
            yield f"{name} found no slot, and it is {status} with {len(page.snapshot.available)} free"
        if reason is Reason.BATCH_TIMED_OUT and status is not Status.TIMED_OUT:
            yield f"{name} was too late, and it is {status}"


def _deadline(books: Books, page: Page) -> Iterator[str]:
    batch = page.batch
    if batch.status is Status.TIMED_OUT and (batch.deadline is None or batch.deadline > books.now):
        yield f"it timed out before its deadline {batch.deadline}"


def _swept(books: Books, page: Page) -> Iterator[str]:
    batch = page.batch
    if batch.status is Status.OPEN and batch.deadline is not None and batch.deadline <= books.now:
        yield f"it is still open after its deadline {batch.deadline}"


type _Check = Callable[[Books, Page], Iterator[str]]

_AT_EVERY_INSTANT: tuple[tuple[int, _Check], ...] = (
    (1, _slots),
    (1, _counts),
    (2, _owners),
    (3, _leaves_once),
    (4, _completion),
    (5, _terminal_event),
    (6, _announcements),
    (6, _overdue),
    (7, _outcomes),
    (9, _reasons),
    (12, _deadline),
)
_WHEN_QUIET: tuple[tuple[int, _Check], ...] = (
    (5, _terminal_event_received),
    (6, _nothing_left),
    (6, _rejections),
    (7, _nothing_lost),
    (12, _swept),
)
