"""The largest of everything, each a case: what is stored, what is called, and what must be true then."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from dev.limits import sql
from dev.limits.events import (
    SCHEDULED,
    contents,
    contents_event,
    registrations_event,
    status_request,
)
from dev.limits.scene import MAX_ANSWER_BYTES, delivered_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.limits.scene import Scene

FINALS = 20
FINAL_BYTES = 990_000
CONTENTS_OF_A_COPY = 10


def last_content(scene: Scene) -> None:
    """Close the largest batch by its last content."""
    scene.stores.fill_batches(1, scene.scale.slots, free=1)
    scene.deliver(contents_event(contents(0, [0])))
    scene.require_results(1)
    scene.require_count(sql.OPEN, 0, "open batches")


def overdue(scene: Scene) -> None:
    """Close many of the largest batches, overdue at once."""
    scene.stores.fill_batches(scene.scale.batches, scene.scale.slots, free=1, seconds=-60)
    scene.repeat(SCHEDULED, sql.OPEN)
    scene.require_results(scene.scale.batches)


def registration(scene: Scene) -> None:
    """Register a batch for which as many arrivals are parked as can be."""
    _register(scene, 1)


def registrations(scene: Scene) -> None:
    """Register several such batches with one call."""
    _register(scene, scene.scale.registrations)


def _register(scene: Scene, batches: int) -> None:
    scene.stores.park(batches, scene.scale.slots)
    scene.deliver(registrations_event(range(batches), scene.scale.slots))
    scene.require_count(sql.STILL_PARKED, 0, "parked arrivals")
    scene.require_results(batches)


def overdue_parked(scene: Scene) -> None:
    """Announce arrivals that are parked for too long, each for another batch."""
    scene.stores.park(scene.scale.backlog, 1)
    scene.repeat(SCHEDULED, sql.UNANNOUNCED)
    announced = scene.stores.bus.take_summary()["events"].get("ParkedContentOverdue", 0)
    unsent = scene.stores.count(sql.UNSENT)
    scene.require(announced + unsent == scene.scale.backlog, f"{announced} announced, {unsent} unsent")


def outbox(scene: Scene) -> None:
    """Publish a backlog, the final results first although they are the youngest."""
    scene.stores.fill_outbox(scene.scale.backlog, FINALS, FINAL_BYTES)
    scene.invoke(SCHEDULED)
    scene.require_count(sql.UNSENT_FINALS, 0, "final results behind other events")
    scene.repeat(SCHEDULED, sql.UNSENT)
    kinds = scene.stores.bus.take_summary()["events"]
    expected = {"BatchEssaysReady": FINALS, "ExcessContentProvisioned": scene.scale.backlog}
    scene.require(kinds == expected, f"the bus took {kinds}")


def status(scene: Scene) -> None:
    """Read a batch with a very long list of late failures, page by page, each item once."""
    slots, late = scene.scale.slots, scene.scale.backlog
    scene.stores.fill_batches(1, slots, free=slots // 2)
    scene.stores.add_late_failures(late)
    found: Counter[str] = Counter()
    largest, token = 0, None
    while True:
        [answer] = scene.invoke(status_request(0, token)) or [None]
        if answer is None or answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's OK
            scene.problems.append(f"no page: {answer}")
            return
        largest = max(largest, len(json.dumps(answer).encode()))
        body = json.loads(answer["body"])
        found.update(_items(body))
        token = body["next_page_token"]
        if token is None:
            break
    scene.require(largest <= MAX_ANSWER_BYTES, f"an answer has {largest} bytes")
    scene.require(len(found) == slots + late, f"{len(found)} of {slots + late} items")
    scene.require(max(found.values()) == 1, "an item is on two pages")


def _items(body: dict[str, Any]) -> list[str]:
    slots = [one["essay_id"] for one in body["ready_essays"]]
    late = [one["file_upload_id"] for one in body["late_failures"]]
    return [*slots, *body["missing_essay_ids"], *late]


def last_contents(scene: Scene) -> None:
    """Close many of the largest batches with one call."""
    batches, messages = scene.scale.batches, scene.scale.messages
    each = messages // batches
    scene.stores.fill_batches(batches, scene.scale.slots, free=each)
    scene.deliver(contents_event([one for at in range(batches) for one in contents(at, range(each))]))
    scene.require_count(sql.OPEN, 0, "open batches")
    scene.require_results(batches)


def copies(scene: Scene) -> None:
    """Fill one batch from many copies of the function at the same moment."""
    each = CONTENTS_OF_A_COPY
    free = scene.scale.copies * each
    scene.stores.fill_batches(1, scene.scale.slots, free)
    events = [
        contents_event(contents(0, range(at * each, (at + 1) * each))) for at in range(scene.scale.copies)
    ]
    while events and not scene.problems:
        before = len(events)
        answers = scene.invoke(*events)
        again = [delivered_again(event, answer) for event, answer in zip(events, answers, strict=True)]
        events = [event for event in again if event["Records"]]
        scene.require(len(events) < before, f"none of {before} calls got its messages done")
    scene.require_count(sql.CONTENTS_OF_SLOTS, scene.scale.slots, "contents with a slot")
    scene.require_count(sql.EXCESS, 0, "contents without a slot")
    scene.require_results(1)


# What is called, in the words of the table, and the function.
CASES: dict[str, tuple[str, Callable[[Scene], None]]] = {
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
