"""The sentence of each state, one row each: what it says, whose move it is, and whether that is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from els_core.application.ports.reading import OtherCounts
from els_core.application.sentences import Mover, describe
from els_core.domain.batches import Batch, Status
from tests.factories import DEADLINE, batch
from tests.unit.application.reading import HOUR, MINUTE, NOW, SENT, overview_of

TWO = ("essay-0003", "essay-0004")
UNSENT = replace(SENT, first_sent_at=None, unsent_since=NOW - 5 * MINUTE)
AGAIN = replace(SENT, unsent_since=NOW - MINUTE)
OPEN = replace(overview_of(batch(Status.OPEN, 5, 2, 1)), missing=TWO)
LATE = replace(OPEN, now=DEADLINE + 2 * MINUTE, last_sweep=DEADLINE + MINUTE)
AWAITED = overview_of(batch(Status.AWAITED))
READY = overview_of(batch(Status.READY, 3, 2, 1), SENT)
SENT_AT = "announced at 2026-01-31 10:19 UTC: it is the consumer's move"
READY_SO_FAR = "ready: 2 of 3 assigned; 1 file failed"
DUE = "2026-01-31 13:00 UTC"
SILENT = (
    "Redis has not answered since 2026-01-31 12:07 UTC, so arrivals wait in the queues until it does: "
    "operators must look at it"
)

SENTENCES = {
    "nothing has arrived for a batch that was named": (
        AWAITED,
        (Mover.UPSTREAM, False),
        "upstream must register the batch; nothing has arrived for it",
    ),
    "one arrival is parked": (
        replace(AWAITED, counts=OtherCounts(parked=1), parked_since=NOW - HOUR),
        (Mover.UPSTREAM, False),
        "upstream must register the batch; 1 arrival is parked, the oldest since 2026-01-31 11:19 UTC",
    ),
    "arrivals are parked": (
        replace(AWAITED, counts=OtherCounts(parked=2), parked_since=NOW - HOUR),
        (Mover.UPSTREAM, False),
        "upstream must register the batch; 2 arrivals are parked, the oldest since 2026-01-31 11:19 UTC",
    ),
    "contents are missing": (
        OPEN,
        (Mover.UPSTREAM, False),
        f"upstream must send 2 of 5 until {DUE}: essay-0003, essay-0004; 1 file failed",
    ),
    "more are missing than are named": (
        replace(overview_of(batch(Status.OPEN, 25)), missing=TWO),
        (Mover.UPSTREAM, False),
        f"upstream must send 25 of 25 until {DUE}: essay-0003, essay-0004 and 23 more",
    ),
    "something parked cannot be decided": (
        replace(OPEN, counts=OtherCounts(parked=1), parked_since=NOW - HOUR),
        (Mover.ELS, True),
        (
            f"upstream must send 2 of 5 until {DUE}: essay-0003, essay-0004; 1 file failed; "
            "1 parked arrival could not be decided: operators must check the stored data"
        ),
    ),
    "an event of an open batch is not sent": (
        replace(OPEN, unsent_since=NOW - 10 * MINUTE),
        (Mover.ELS, True),
        (
            f"upstream must send 2 of 5 until {DUE}: essay-0003, essay-0004; 1 file failed; "
            "an event about the batch waits since 2026-01-31 12:09 UTC to be sent; "
            "the relay, which sends it, has left it: operators must look at its faults"
        ),
    ),
    "an event of an open batch is on its way": (
        replace(OPEN, unsent_since=NOW - MINUTE),
        (Mover.UPSTREAM, False),
        f"upstream must send 2 of 5 until {DUE}: essay-0003, essay-0004; 1 file failed",
    ),
    "the deadline passed a moment ago": (
        LATE,
        (Mover.ELS, False),
        (
            f"the service must close the batch, whose deadline was {DUE}; "
            "2 of 5 are missing: essay-0003, essay-0004; 1 file failed"
        ),
    ),
    "the deadline passed and no sweep ran": (
        replace(LATE, now=DEADLINE + HOUR, last_sweep=DEADLINE),
        (Mover.ELS, True),
        (
            f"the service must close the batch, whose deadline was {DUE}; "
            "2 of 5 are missing: essay-0003, essay-0004; 1 file failed; "
            f"the sweep, which closes it, last ran at {DUE}: operators must check its schedule"
        ),
    ),
    "the deadline passed and the sweep never ran": (
        replace(LATE, last_sweep=None),
        (Mover.ELS, False),
        (
            f"the service must close the batch, whose deadline was {DUE}; "
            "2 of 5 are missing: essay-0003, essay-0004; 1 file failed; "
            "the sweep, which closes it, has never run: operators must check its schedule"
        ),
    ),
    "the deadline passed and sweeps leave the batch open": (
        replace(LATE, now=DEADLINE + HOUR, last_sweep=DEADLINE + 59 * MINUTE),
        (Mover.ELS, True),
        (
            f"the service must close the batch, whose deadline was {DUE}; "
            "2 of 5 are missing: essay-0003, essay-0004; 1 file failed; "
            "the sweep, which closes it, has left it: operators must look at its faults"
        ),
    ),
    "Redis does not answer": (
        replace(OPEN, redis_answered=NOW - 12 * MINUTE),
        (Mover.ELS, False),
        f"{SILENT}; 2 of 5 are missing until {DUE}: essay-0003, essay-0004; 1 file failed",
    ),
    "Redis answered": (
        replace(OPEN, redis_answered=NOW - MINUTE),
        (Mover.UPSTREAM, False),
        f"upstream must send 2 of 5 until {DUE}: essay-0003, essay-0004; 1 file failed",
    ),
    "named, and Redis does not answer": (
        replace(AWAITED, redis_answered=NOW - 12 * MINUTE),
        (Mover.ELS, False),
        f"upstream must register the batch; nothing has arrived for it; {SILENT}",
    ),
    "ready and announced": (
        READY,
        (Mover.CONSUMER, False),
        f"ready: 2 of 3 assigned; 1 file failed; {SENT_AT}",
    ),
    "ready, with contents that found no slot": (
        replace(READY, counts=OtherCounts(excess=3, taken_in=2)),
        (Mover.CONSUMER, False),
        (
            f"ready: 2 of 3 assigned; 1 file failed; {SENT_AT}; "
            "3 contents found no slot, of which re-opening can take in 2"
        ),
    ),
    "ready, with one that nothing can take in": (
        replace(READY, counts=OtherCounts(excess=1)),
        (Mover.CONSUMER, False),
        f"ready: 2 of 3 assigned; 1 file failed; {SENT_AT}; 1 content found no slot",
    ),
    "ready and to be announced again": (
        replace(READY, announcement=AGAIN, unsent_since=AGAIN.unsent_since),
        (Mover.ELS, False),
        (
            f"{READY_SO_FAR}; announced at 2026-01-31 10:19 UTC, and to be announced again: "
            "its event waits since 2026-01-31 12:18 UTC"
        ),
    ),
    "ready and nobody was told": (
        replace(READY, announcement=UNSENT, unsent_since=UNSENT.unsent_since, last_relay=NOW - HOUR),
        (Mover.ELS, True),
        (
            f"{READY_SO_FAR}; not announced yet: its event waits since 2026-01-31 12:14 UTC; "
            "the relay, which sends it, last ran at 2026-01-31 11:19 UTC: operators must check its schedule"
        ),
    ),
    "ready, and the relay leaves its event": (
        replace(READY, announcement=UNSENT, unsent_since=UNSENT.unsent_since),
        (Mover.ELS, True),
        (
            f"{READY_SO_FAR}; not announced yet: its event waits since 2026-01-31 12:14 UTC; "
            "the relay, which sends it, has left it: operators must look at its faults"
        ),
    ),
    "ready, and its event has just been written": (
        replace(READY, announcement=replace(UNSENT, unsent_since=NOW - 2 * MINUTE)),
        (Mover.ELS, False),
        f"{READY_SO_FAR}; not announced yet: its event waits since 2026-01-31 12:17 UTC",
    ),
    "ready, and announced before that was recorded": (
        replace(READY, announcement=replace(UNSENT, unsent_since=None)),
        (Mover.CONSUMER, False),
        f"{READY_SO_FAR}; announced at a time that was not recorded: it is the consumer's move",
    ),
    "ready since an older version": (
        overview_of(batch(Status.READY, 2, 2)),
        (Mover.CONSUMER, False),
        (
            "ready: 2 of 2 assigned; closed by an older version of the service, "
            "which did not record whether its result was announced"
        ),
    ),
    "all files failed": (
        overview_of(batch(Status.FAILED, 2, 0, 2), SENT),
        (Mover.CONSUMER, False),
        f"failed: none of 2 files could be used; {SENT_AT}",
    ),
    "timed out": (
        replace(overview_of(batch(Status.TIMED_OUT, 5, 2, 1), SENT), missing=TWO),
        (Mover.CONSUMER, False),
        f"timed out with 2 of 5 missing: essay-0003, essay-0004; 1 file failed; {SENT_AT}",
    ),
    "cancelled": (
        replace(overview_of(batch(Status.CANCELLED, 4, 2), SENT), missing=TWO),
        (Mover.CONSUMER, False),
        f"cancelled with 2 of 4 missing: essay-0003, essay-0004; {SENT_AT}",
    ),
    "cancelled before it was registered": (
        overview_of(Batch("b", Status.CANCELLED, 1), SENT),
        (Mover.CONSUMER, False),
        f"cancelled before it was registered; {SENT_AT}",
    ),
}


@pytest.mark.fault(42)
@pytest.mark.parametrize("name", SENTENCES)
def test_each_state_has_its_sentence_and_says_whose_move_it_is(name: str) -> None:
    given, (mover, is_stuck), sentence = SENTENCES[name]
    move = describe(given)
    assert move.sentence == sentence
    assert (move.mover, move.is_stuck) == (mover, is_stuck)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_sentence(status: Status) -> None:
    assert describe(overview_of(batch(status, 2, 1, 1))).sentence


@pytest.mark.parametrize("name", SENTENCES)
def test_a_second_that_passes_changes_no_sentence(name: str) -> None:
    given = SENTENCES[name][0]
    assert describe(replace(given, now=given.now + timedelta(seconds=1))) == describe(given)
