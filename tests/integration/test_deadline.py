"""Completion and timeout compete for one row; exactly one wins, by the clock of Postgres."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from els_core.application.expire_batches import PAGE
from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.integration.concurrency import run_both_at_once
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dev.servers.valkey import ValkeyServer

ROUNDS = 200
FINAL_RESULTS = ("BatchEssaysReady", "BatchValidationErrors", "BatchReadinessTimeout")


@pytest.fixture
def others(database_url: str, valkey: ValkeyServer) -> Iterator[list[Environment]]:
    environments = [Environment(database_url, valkey.url) for _ in range(3)]
    yield environments
    for environment in environments:
        environment.close()


def final_result_counts(*environments: Environment) -> Counter[str]:
    """Return the number of distinct final results per batch."""
    ids = {
        (message.batch_id, message.event_id)
        for environment in environments
        for message in environment.bus.accepted
        if message.detail_type in FINAL_RESULTS
    }
    return Counter(batch_id for batch_id, _ in ids)


def set_deadline_sql(batch_id: str, milliseconds: int) -> str:
    """Return the SQL for a deadline that passes during the race; 15 milliseconds stand for one hour."""
    span = "1 hour" if milliseconds == 15 else f"{milliseconds} milliseconds"
    soon = f"clock_timestamp() + interval '{span}'"
    return f"UPDATE batches SET deadline = {soon} WHERE batch_id = '{batch_id}'"  # noqa: S608


@pytest.mark.fault(8)
def test_a_sweep_and_the_last_arrival_at_the_same_instant_give_each_batch_one_final_result(
    environment: Environment, others: list[Environment]
) -> None:
    sweeper = others[0]
    names = [f"b{n}" for n in range(ROUNDS)]
    environment.register(*(registration(1, name) for name in names))
    with ThreadPoolExecutor(2) as pool:
        for number, name in enumerate(names):
            last = content("last", name) if number % 3 else failure("last", name)
            environment.execute(set_deadline_sql(name, milliseconds=number % 16))
            run_both_at_once(partial(environment.provision, last), sweeper.expire, pool)
    sweeper.expire()
    assert final_result_counts(environment, sweeper) == dict.fromkeys(names, 1)
    for name in names:
        batch = environment.snapshot(name).batch
        assert batch.status.is_terminal
        assert (batch.status is Status.TIMED_OUT) == (batch.assigned_count + batch.failed_count == 0)
    statuses = {environment.snapshot(name).batch.status for name in names}
    assert statuses == {Status.READY, Status.FAILED, Status.TIMED_OUT}


@pytest.mark.fault(9)
def test_overlapping_sweeps_close_each_batch_once(
    environment: Environment, others: list[Environment]
) -> None:
    names = [f"b{n}" for n in range(2 * PAGE + 50)]
    environment.register(*(registration(2, name) for name in names))
    environment.provision(*(content("a", name) for name in names))
    environment.pass_the_deadline()
    start = Barrier(len(others))

    def sweep(sweeper: Environment) -> int:
        start.wait()
        return len(sweeper.expire().closed)

    with ThreadPoolExecutor(len(others)) as pool:
        closed = list(pool.map(sweep, others))
    # Sweeps skip locked rows; the next sweep closes what was skipped.
    assert sum(closed) + len(environment.expire().closed) == len(names)
    published = [message for one in (environment, *others) for message in one.bus.accepted]
    assert Counter(message.detail_type for message in published)["BatchReadinessTimeout"] == len(names)
    assert final_result_counts(environment, *others) == dict.fromkeys(names, 1)


@pytest.mark.fault(9)
def test_a_sweep_stops_when_time_runs_short_and_the_next_continues(environment: Environment) -> None:
    environment.register(*(registration(1, f"b{n}") for n in range(PAGE + 1)))
    environment.pass_the_deadline()
    allowed = iter([True, False, False, False])
    assert len(environment.expire(lambda: next(allowed)).closed) == PAGE
    assert len(environment.expire().closed) == 1


@pytest.mark.fault(9)
def test_a_sweep_skips_a_locked_batch_and_the_next_closes_it(
    environment: Environment, others: list[Environment]
) -> None:
    environment.register(registration(1, "held"), registration(1, "free"))
    environment.pass_the_deadline()
    with others[0].engine.begin() as holder:
        holder.exec_driver_sql("SELECT FROM batches WHERE batch_id = 'held' FOR UPDATE")
        assert [batch.batch_id for batch in environment.expire().closed] == ["free"]
    assert [batch.batch_id for batch in environment.expire().closed] == ["held"]


class WrongClock:
    """A clock that is years ahead or behind."""

    def __init__(self, environment: Environment, years: int) -> None:
        self._clock = environment.clock
        self._offset = timedelta(days=365 * years)

    def now(self) -> datetime:
        return self._clock.now() + self._offset


@pytest.mark.fault(14)
@pytest.mark.parametrize("years", [-5, 5])
def test_the_clock_of_a_process_decides_no_deadline(
    environment: Environment, database_url: str, valkey: ValkeyServer, years: int
) -> None:
    wrong = Environment(database_url, valkey.url, clock=WrongClock(environment, years))
    wrong.register(registration(2), registration(1, "due"))
    environment.execute("UPDATE batches SET deadline = clock_timestamp() WHERE batch_id = 'due'")
    assert wrong.outcomes(content("a"), failure("f"), content("late", "due")) == {
        "assigned": 1,
        "failed": 1,
        "excess": 1,
    }
    wrong.close()
