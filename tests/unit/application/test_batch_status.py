"""The sentence of the status, one row per state, and the pages of its lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from els_core.application.batch_status import describe
from els_core.application.ports.repository import Announcement, BatchOverview, PagePosition, StatusItem
from els_core.domain.batches import FreeSlot, Status
from tests.factories import DEADLINE, batch, content, failure, registration
from tests.unit.application.in_memory import HOUR, InMemoryEnvironment

MINUTE = timedelta(minutes=1)
NOW = DEADLINE - 41 * MINUTE
FIVE = ("essay-0000", "essay-0001", "essay-0002", "essay-0003", "essay-0004")
TWO = ("essay-0003", "essay-0004")
EVENT = UUID(int=1)
SENT = Announcement(EVENT, "BatchEssaysReady", NOW - 2 * HOUR, None)
SENT_AGAIN = replace(SENT, unsent_since=NOW - MINUTE)
UNSENT = Announcement(EVENT, "BatchEssaysReady", None, NOW - 5 * MINUTE)


def overview(  # noqa: PLR0913, PLR0917 - one row of the table each
    status: Status = Status.OPEN,
    slots: int = 5,
    assigned: int = 0,
    failed: int = 0,
    missing: tuple[str, ...] = (),
    announcement: Announcement | None = None,
) -> BatchOverview:
    row = batch(status, slots, assigned, failed)
    swept = NOW - timedelta(seconds=30)
    return BatchOverview(row, NOW, missing, 0, 0, None, "digest", announcement, swept, swept)


SENTENCES = {
    "nothing has arrived": (
        overview(slots=2, missing=FIVE[:2]),
        "waiting for 2 of 2: essay-0000, essay-0001; 41 minutes left",
    ),
    "some contents have arrived": (
        overview(assigned=3, missing=TWO),
        "waiting for 2 of 5: essay-0003, essay-0004; 41 minutes left",
    ),
    "one file has failed": (
        overview(assigned=2, failed=1, missing=TWO),
        "waiting for 2 of 5: essay-0003, essay-0004; 1 file failed; 41 minutes left",
    ),
    "more are missing than are named": (
        overview(slots=25, missing=FIVE),
        f"waiting for 25 of 25: {', '.join(FIVE)} and 20 more; 41 minutes left",
    ),
    "something parked cannot be decided": (
        replace(overview(slots=2, missing=FIVE[:2]), parked_count=1, parked_since=NOW - HOUR),
        (
            "waiting for 2 of 2: essay-0000, essay-0001; 41 minutes left; 1 parked arrival "
            "could not be decided: operators must check the stored data"
        ),
    ),
    "the deadline has passed": (
        replace(overview(slots=1, missing=FIVE[:1]), now=DEADLINE + 2 * MINUTE, last_sweep=DEADLINE + MINUTE),
        (
            "waiting for 1 of 1: essay-0000; its deadline passed 2 minutes ago; the sweep, which closes "
            "it, last "
            "ran 1 minute ago"
        ),
    ),
    "the deadline has passed, and no sweep runs": (
        replace(overview(slots=1, missing=FIVE[:1]), now=DEADLINE + HOUR, last_sweep=DEADLINE),
        (
            "waiting for 1 of 1: essay-0000; its deadline passed 1 hour ago; the sweep, which closes it, "
            "last ran "
            "1 hour ago: operators must check its schedule"
        ),
    ),
    "the deadline has passed, and no sweep ever ran": (
        replace(overview(slots=1, missing=FIVE[:1]), now=DEADLINE + HOUR, last_sweep=None),
        (
            "waiting for 1 of 1: essay-0000; its deadline passed 1 hour ago; the sweep, which closes it, "
            "has never "
            "run: operators must check its schedule"
        ),
    ),
    "ready and announced": (
        overview(Status.READY, 2, 1, 1, announcement=SENT),
        "ready: 1 of 2 assigned; 1 file failed; announced 2 hours ago",
    ),
    "ready and announced again": (
        overview(Status.READY, 2, 2, announcement=SENT_AGAIN),
        "ready: 2 of 2 assigned; announced 2 hours ago, and announced again now",
    ),
    "ready and not announced yet": (
        overview(Status.READY, 2, 2, announcement=UNSENT),
        (
            "ready: 2 of 2 assigned; not announced yet: its event waits for 5 minutes; the relay, which "
            "sends it, "
            "last ran less than a minute ago"
        ),
    ),
    "closed by an older version": (
        overview(Status.READY, 2, 2),
        (
            "ready: 2 of 2 assigned; closed by an older version of the service, which kept no result to "
            "announce "
            "again"
        ),
    ),
    "every file failed": (
        overview(Status.FAILED, 2, 0, 2, announcement=SENT),
        "failed: none of 2 files could be used; announced 2 hours ago",
    ),
    "timed out": (
        overview(Status.TIMED_OUT, 5, 2, 1, TWO, SENT),
        "timed out with 2 of 5: essay-0003, essay-0004 missing; 1 file failed; announced 2 hours ago",
    ),
    "named, and nothing arrived": (
        overview(Status.AWAITED, 0),
        "waiting for upstream to register the batch; nothing has arrived for it",
    ),
    "named by arrivals": (
        replace(overview(Status.AWAITED, 0), parked_count=2, parked_since=NOW - HOUR),
        "waiting for upstream to register the batch; 2 arrivals are parked, the oldest for 1 hour",
    ),
}


@pytest.mark.fault(42)
@pytest.mark.parametrize("state", SENTENCES)
def test_every_state_has_its_sentence(state: str) -> None:
    given, sentence = SENTENCES[state]
    assert describe(given) == sentence


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_sentence(status: Status) -> None:
    assert describe(overview(status, 2, 1, 1))


TIME_LEFT = [
    (timedelta(days=14), "14 days left"),
    (timedelta(days=2) - timedelta(seconds=1), "1 day left"),
    (timedelta(hours=23, minutes=59), "23 hours left"),
    (timedelta(hours=1), "1 hour left"),
    (timedelta(minutes=59, seconds=59), "59 minutes left"),
    (timedelta(minutes=1), "1 minute left"),
    (timedelta(seconds=59), "less than a minute left"),
    (timedelta(microseconds=1), "less than a minute left"),
]


@pytest.mark.parametrize(("left", "expected"), TIME_LEFT)
def test_an_open_batch_says_how_much_time_is_left(left: timedelta, expected: str) -> None:
    given = replace(overview(slots=1, missing=FIVE[:1]), now=DEADLINE - left)
    assert describe(given).endswith(f"; {expected}")


def test_the_status_is_read_from_postgres_even_when_redis_is_down() -> None:
    environment = InMemoryEnvironment()
    environment.register(registration(2))
    environment.provision(content("a"))
    environment.redis.is_down = True
    description = environment.batch_status.read("b")
    assert description is not None
    assert description.overview.batch == environment.snapshot().batch
    assert description.sentence.startswith("waiting for 1 of 2: ")
    assert [type(item).__name__ for item in description.items] == ["AssignedSlot", "FreeSlot"]
    assert description.next_page is None


@pytest.mark.fault(32)
def test_the_pages_of_a_batch_hold_each_slot_and_each_late_failure_once() -> None:
    environment = InMemoryEnvironment()
    environment.register(registration(20))
    environment.provision(*(content(f"c{number}") for number in range(15)), failure("f"))
    environment.expire()
    environment.provision(*(content(f"d{number}") for number in range(4)))
    environment.provision(*(failure(f"late{number:02}") for number in range(15)))
    status = replace(environment.batch_status, page_bytes=3_000)
    items: list[StatusItem] = []
    position: PagePosition | None = None
    pages = 0
    while pages == 0 or position is not None:
        description = status.read("b", position)
        assert description is not None
        items.extend(description.items)
        position = description.next_page
        pages += 1
    assert pages > 3
    assert len(items) == 35
    assert len(set(items)) == 35
    assert not any(isinstance(item, FreeSlot) for item in items)


def test_a_batch_that_no_event_has_named_has_no_status() -> None:
    assert InMemoryEnvironment().batch_status.read("unknown") is None
