"""The cases, one for each large input or backlog: what is stored, what is called, what must be true then."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from dev.limits import sql
from dev.limits.case_run import MAX_ANSWER_BYTES, delivered_again
from dev.limits.events import (
    SCHEDULED,
    contents,
    contents_event,
    registrations_event,
    status_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.limits.case_run import CaseRun

FINALS = 20
FINAL_BYTES = 990_000
CONTENTS_OF_A_COPY = 10


def last_content(run: CaseRun) -> None:
    """Close the largest batch by its last content."""
    run.stores.fill_batches(1, run.scale.slots, free=1)
    run.deliver(contents_event(contents(0, [0])))
    run.require_results(1)
    run.require_count(sql.OPEN, 0, "open batches")


def overdue(run: CaseRun) -> None:
    """Close many of the largest batches, overdue at once."""
    run.stores.fill_batches(run.scale.batches, run.scale.slots, free=1, seconds=-60)
    run.repeat(SCHEDULED, sql.OPEN)
    run.require_results(run.scale.batches)


def registration(run: CaseRun) -> None:
    """Register a batch for which as many arrivals are parked as can be."""
    _register(run, 1)


def registrations(run: CaseRun) -> None:
    """Register several such batches with one call."""
    _register(run, run.scale.registrations)


def _register(run: CaseRun, batches: int) -> None:
    run.stores.park(batches, run.scale.slots)
    run.deliver(registrations_event(range(batches), run.scale.slots))
    run.require_count(sql.STILL_PARKED, 0, "parked arrivals")
    run.require_results(batches)


def overdue_parked(run: CaseRun) -> None:
    """Announce arrivals that are parked for too long, each for another batch."""
    run.stores.park(run.scale.backlog, 1)
    run.repeat(SCHEDULED, sql.UNANNOUNCED)
    announced = run.stores.bus.take_summary()["events"].get("ParkedContentOverdue", 0)
    unsent = run.stores.count(sql.UNSENT)
    run.require(announced + unsent == run.scale.backlog, f"{announced} announced, {unsent} unsent")


def outbox(run: CaseRun) -> None:
    """Publish a backlog, the final results first although they are the youngest."""
    run.stores.fill_outbox(run.scale.backlog, FINALS, FINAL_BYTES)
    run.invoke(SCHEDULED)
    run.require_count(sql.UNSENT_FINALS, 0, "final results behind other events")
    run.repeat(SCHEDULED, sql.UNSENT)
    events = run.stores.bus.take_summary()["events"]
    expected = {"BatchEssaysReady": FINALS, "ExcessContentProvisioned": run.scale.backlog}
    run.require(events == expected, f"the bus took {events}")


def status(run: CaseRun) -> None:
    """Read a batch with a very long list of late failures, page by page, each item once."""
    slots, late = run.scale.slots, run.scale.backlog
    run.stores.fill_batches(1, slots, free=slots // 2)
    run.stores.add_late_failures(late)
    found: Counter[str] = Counter()
    largest, token = 0, None
    while True:
        [answer] = run.invoke(status_request(0, token)) or [None]
        if answer is None or answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's OK
            run.problems.append(f"no page: {answer}")
            return
        largest = max(largest, len(json.dumps(answer).encode()))
        body = json.loads(answer["body"])
        found.update(_items(body))
        token = body["next_page_token"]
        if token is None:
            break
    run.require(largest <= MAX_ANSWER_BYTES, f"an answer has {largest} bytes")
    run.require(len(found) == slots + late, f"{len(found)} of {slots + late} items")
    run.require(max(found.values()) == 1, "an item is on two pages")


def _items(body: dict[str, Any]) -> list[str]:
    slots = [one["essay_id"] for one in body["ready_essays"]]
    late = [one["file_upload_id"] for one in body["late_failures"]]
    return [*slots, *body["missing_essay_ids"], *late]


def last_contents(run: CaseRun) -> None:
    """Close many of the largest batches with one call."""
    batches, messages = run.scale.batches, run.scale.messages
    each = messages // batches
    run.stores.fill_batches(batches, run.scale.slots, free=each)
    run.deliver(contents_event([one for at in range(batches) for one in contents(at, range(each))]))
    run.require_count(sql.OPEN, 0, "open batches")
    run.require_results(batches)


def copies(run: CaseRun) -> None:
    """Fill one batch from many copies of the function at the same moment."""
    each = CONTENTS_OF_A_COPY
    free = run.scale.copies * each
    run.stores.fill_batches(1, run.scale.slots, free)
    events = [
        contents_event(contents(0, range(at * each, (at + 1) * each))) for at in range(run.scale.copies)
    ]
    while events and not run.problems:
        before = len(events)
        answers = run.invoke(*events)
        again = [delivered_again(event, answer) for event, answer in zip(events, answers, strict=True)]
        events = [event for event in again if event["Records"]]
        run.require(len(events) < before, f"none of {before} calls got its messages done")
    run.require_count(sql.CONTENTS_OF_SLOTS, run.scale.slots, "contents with a slot")
    run.require_count(sql.EXCESS, 0, "contents without a slot")
    run.require_results(1)


# What is called, in the words of the table, and the function.
CASES: dict[str, tuple[str, Callable[[CaseRun], None]]] = {
    "{slots} slots, last content": ("provision_content", last_content),
    "{batches} x {slots} slots overdue": ("expire_batches", overdue),
    "{slots} parked, registered": ("register_batch", registration),
    "{registrations} x {slots} parked, registered": ("register_batch", registrations),
    "{backlog} awaited, overdue": ("expire_batches", overdue_parked),
    "{backlog} outbox rows": ("publish_outbox", outbox),
    "{backlog} late failures": ("batch_status", status),
    "{batches} x {slots} slots, last ones": ("provision_content", last_contents),
    "{copies} copies on one batch": ("provision_content", copies),
}
