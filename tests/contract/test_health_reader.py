"""The contract of the port `HealthReader`, on the fake and on Postgres: what waits, and for how long."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.domain.events import OutboxMessage
from tests.contract.transactions import decide_and_commit, register
from tests.factories import content

if TYPE_CHECKING:
    from els_core.application.ports.repository import Repository
    from tests.contract.repositories import RepositoryUnderTest

STUCK_AFTER = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)
NOTHING = {
    "open_batches": 0,
    "late_batches": 0,
    "stuck_batches": 0,
    "oldest_open_seconds": 0,
    "parked_arrivals": 0,
    "oldest_parked_seconds": 0,
    "outbox_events": 0,
    "oldest_outbox_seconds": 0,
    "unsent_results": 0,
    "oldest_unsent_result_seconds": 0,
    "sweep_age_seconds": None,
    "relay_age_seconds": None,
}


def found(store: RepositoryUnderTest) -> dict[str, float | None]:
    """Return what is there, ages in whole tens of seconds: a test takes time itself."""
    backlog = asdict(store.health_reader().backlog(STUCK_AFTER))
    return {
        name: value // 10 * 10 if name.endswith("_seconds") and value is not None else value
        for name, value in backlog.items()
    }


def enqueue(repository: Repository, number: int, *, is_final: bool = False) -> None:
    message = OutboxMessage(UUID(int=number), "b", "Kind", "{}", digest="", is_final=is_final)
    repository.transact(lambda transaction: transaction.enqueue([message]))


def test_nothing_waits_in_an_empty_database(store: RepositoryUnderTest) -> None:
    assert found(store) == NOTHING


def test_open_batches_are_counted_and_the_oldest_is_timed_from_its_registration(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    register(repository, 2, "a")
    store.advance(5 * MINUTE)
    register(repository, 2, "b")
    assert found(store) == NOTHING | {"open_batches": 2, "oldest_open_seconds": 300}


@pytest.mark.parametrize(("waited", "stuck"), [(2 * MINUTE, 0), (4 * MINUTE, 1)])
def test_a_batch_is_late_from_its_deadline_and_stuck_when_nobody_closes_it(
    store: RepositoryUnderTest, repository: Repository, waited: timedelta, stuck: int
) -> None:
    register(repository, 2, timeout_seconds=60)
    store.advance(MINUTE + waited)
    assert found(store) == NOTHING | {
        "open_batches": 1,
        "late_batches": 1,
        "stuck_batches": stuck,
        "oldest_open_seconds": (MINUTE + waited).total_seconds(),
    }


def test_arrivals_that_wait_for_upstream_make_nothing_stuck(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    decide_and_commit(repository, content("a"), content("c"))
    store.advance(10 * MINUTE)
    assert found(store) == NOTHING | {"parked_arrivals": 2, "oldest_parked_seconds": 600}


@pytest.mark.parametrize(("waited", "stuck"), [(2 * MINUTE, 0), (4 * MINUTE, 1)])
def test_arrivals_that_stay_parked_after_the_registration_make_their_batch_stuck(
    store: RepositoryUnderTest, repository: Repository, waited: timedelta, stuck: int
) -> None:
    decide_and_commit(repository, content("a"))
    register(repository, 2)
    store.advance(waited)
    seconds = waited.total_seconds()
    assert found(store) == NOTHING | {
        "open_batches": 1,
        "stuck_batches": stuck,
        "oldest_open_seconds": seconds,
        "parked_arrivals": 1,
        "oldest_parked_seconds": seconds,
    }


@pytest.mark.parametrize(("waited", "stuck"), [(2 * MINUTE, 0), (4 * MINUTE, 1)])
def test_a_result_that_is_not_sent_makes_its_batch_stuck_and_another_event_does_not(
    store: RepositoryUnderTest, repository: Repository, waited: timedelta, stuck: int
) -> None:
    enqueue(repository, 1)
    store.advance(MINUTE)
    enqueue(repository, 2, is_final=True)
    store.advance(waited)
    assert found(store) == NOTHING | {
        "stuck_batches": stuck,
        "outbox_events": 2,
        "oldest_outbox_seconds": (MINUTE + waited).total_seconds(),
        "unsent_results": 1,
        "oldest_unsent_result_seconds": waited.total_seconds(),
    }


def test_the_age_of_a_job_is_the_time_since_it_last_ran_to_its_end(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    repository.note_run("expire_batches")
    store.advance(2 * MINUTE)
    repository.note_run("publish_outbox")
    store.advance(MINUTE)
    assert found(store) == NOTHING | {"sweep_age_seconds": 180, "relay_age_seconds": 60}
