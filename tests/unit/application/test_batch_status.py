"""The sentence of the status, one row per state, and where the answer comes from."""

from __future__ import annotations

from datetime import timedelta

import pytest

from els_core.application.batch_status import describe
from els_core.domain.batches import BatchSnapshot, Status
from tests.factories import DEADLINE, NOW, batch, content, registration, snapshot
from tests.unit.application.in_memory import InMemoryEnvironment

FIVE = "essay-0000, essay-0001, essay-0002, essay-0003, essay-0004"
TWO_LEFT = "waiting for 2 of 5: essay-0003, essay-0004"

# A batch whose deadline is 41 minutes away, and the sentence about it.
SENTENCES = {
    "nothing has arrived": (
        snapshot(2),
        "waiting for 2 of 2: essay-0000, essay-0001; 41 minutes left",
    ),
    "some contents have arrived": (
        snapshot(5, ["a", "b", "c"]),
        f"{TWO_LEFT}; 41 minutes left",
    ),
    "one file has failed": (
        snapshot(5, ["a", "b"], ["f"]),
        f"{TWO_LEFT}; 1 file failed; 41 minutes left",
    ),
    "two files have failed": (
        snapshot(5, ["a"], ["f", "g"]),
        f"{TWO_LEFT}; 2 files failed; 41 minutes left",
    ),
    "five slots are free, so all are named": (
        snapshot(5),
        f"waiting for 5 of 5: {FIVE}; 41 minutes left",
    ),
    "more than five are free, so the rest is counted": (
        snapshot(25),
        f"waiting for 25 of 25: {FIVE} and 20 more; 41 minutes left",
    ),
    "ready with contents only": (
        snapshot(2, ["a", "b"], status=Status.READY),
        "ready: 2 of 2 assigned",
    ),
    "ready with a failure": (
        snapshot(2, ["a"], ["f"], status=Status.READY),
        "ready: 1 of 2 assigned; 1 file failed",
    ),
    "ready, and a failure came too late to count": (
        snapshot(1, ["a"], late=["g"], status=Status.READY),
        "ready: 1 of 1 assigned",
    ),
    "every file failed": (
        snapshot(2, failed=["f", "g"], status=Status.FAILED),
        "failed: none of 2 files could be used",
    ),
    "timed out": (
        snapshot(5, ["a", "b"], ["f"], status=Status.TIMED_OUT),
        "timed out with 2 of 5: essay-0003, essay-0004 missing; 1 file failed",
    ),
}


@pytest.mark.parametrize("state", SENTENCES)
def test_every_state_has_its_sentence(state: str) -> None:
    held, sentence = SENTENCES[state]
    assert describe(held, DEADLINE - timedelta(minutes=41)) == sentence


def test_an_awaited_batch_waits_for_its_registration() -> None:
    sentence = describe(BatchSnapshot(batch(Status.AWAITED)), NOW)
    assert sentence.startswith("waiting for its registration")
    assert "parked" in sentence


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_sentence(status: Status) -> None:
    assert describe(snapshot(2, ["a"], ["f"], status=status), NOW)


TIME_LEFT = [
    (timedelta(days=14), "14 days left"),
    (timedelta(days=2) - timedelta(seconds=1), "1 day left"),
    (timedelta(hours=23, minutes=59), "23 hours left"),
    (timedelta(hours=1), "1 hour left"),
    (timedelta(minutes=59, seconds=59), "59 minutes left"),
    (timedelta(minutes=1), "1 minute left"),
    (timedelta(seconds=59), "less than a minute left"),
    (timedelta(microseconds=1), "less than a minute left"),
    (timedelta(0), "its deadline has passed and the next sweep closes it"),
    (timedelta(days=-1), "its deadline has passed and the next sweep closes it"),
]


@pytest.mark.parametrize(("left", "expected"), TIME_LEFT)
def test_an_open_batch_says_how_much_time_is_left(left: timedelta, expected: str) -> None:
    assert describe(snapshot(1), DEADLINE - left).endswith(f"; {expected}")


def test_the_status_is_read_from_postgres_even_when_redis_is_down() -> None:
    environment = InMemoryEnvironment()
    environment.register(registration(2))
    environment.provision(content("a"))
    environment.redis.is_down = True
    description = environment.batch_status.read("b")
    assert description is not None
    assert description.snapshot == environment.snapshot()
    assert description.sentence.startswith("waiting for 1 of 2: ")


def test_a_batch_that_no_event_has_named_has_no_status() -> None:
    assert InMemoryEnvironment().batch_status.read("unknown") is None
