"""Completion and timeout compete for one row: one wins, by the clock of the record."""

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
from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from dev.servers.valkey import ValkeyServer

ROUNDS = 200
TERMINAL = ("BatchEssaysReady", "BatchValidationErrors", "BatchReadinessTimeout")


@pytest.fixture
def others(database_url: str, valkey: ValkeyServer) -> Iterator[list[World]]:
    copies = [World(database_url, valkey.url) for _ in range(3)]
    yield copies
    for copy in copies:
        copy.close()


def final_results(*worlds: World) -> Counter[str]:
    """Count the distinct final results per batch."""
    ids = {
        (message.batch_id, message.event_id)
        for world in worlds
        for message in world.bus.taken
        if message.detail_type in TERMINAL
    }
    return Counter(batch_id for batch_id, _ in ids)


def both_at_once(first: Callable[[], object], second: Callable[[], object], pool: ThreadPoolExecutor) -> None:
    start = Barrier(2)

    def let_go(work: Callable[[], object]) -> None:
        start.wait()
        work()

    for done in [pool.submit(let_go, first), pool.submit(let_go, second)]:
        done.result()


def due_in(batch_id: str, milliseconds: int) -> str:
    """Return the SQL that lets a deadline pass while both are at work; 15 stands for after the work."""
    span = "1 hour" if milliseconds == 15 else f"{milliseconds} milliseconds"
    soon = f"clock_timestamp() + interval '{span}'"
    return f"UPDATE batches SET deadline = {soon} WHERE batch_id = '{batch_id}'"  # noqa: S608


@pytest.mark.fault(8)
def test_a_sweep_and_the_last_arrival_at_the_same_instant_give_one_final_result_each(
    world: World, others: list[World]
) -> None:
    sweeper = others[0]
    names = [f"b{n}" for n in range(ROUNDS)]
    world.register.register([registration(1, name) for name in names])
    with ThreadPoolExecutor(2) as pool:
        for number, name in enumerate(names):
            last = content("last", name) if number % 3 else failure("last", name)
            world.execute(due_in(name, milliseconds=number % 16))
            both_at_once(
                partial(world.provision.provision, [last]), partial(sweeper.expire.run, lambda: True), pool
            )
    sweeper.expire.run(lambda: True)
    assert final_results(world, sweeper) == dict.fromkeys(names, 1)
    for name in names:
        batch = world.snapshot(name).batch
        assert batch.status.is_terminal
        assert (batch.status is Status.TIMED_OUT) == (batch.assigned_count + batch.failed_count == 0)
    statuses = {world.snapshot(name).batch.status for name in names}
    assert statuses == {Status.READY, Status.FAILED, Status.TIMED_OUT}


@pytest.mark.fault(9)
def test_sweeps_that_overlap_close_each_batch_once(world: World, others: list[World]) -> None:
    names = [f"b{n}" for n in range(2 * PAGE + 50)]
    world.register.register([registration(2, name) for name in names])
    world.provision.provision([content("a", name) for name in names])
    world.pass_the_deadline()
    start = Barrier(len(others))

    def sweep(copy: World) -> int:
        start.wait()
        return len(copy.expire.run(lambda: True).closed)

    with ThreadPoolExecutor(len(others)) as pool:
        closed = list(pool.map(sweep, others))
    # A sweep skips what another holds; what is left when that one died is closed by the next.
    assert sum(closed) + len(world.expire.run(lambda: True).closed) == len(names)
    sent = [message for copy in (world, *others) for message in copy.bus.taken]
    assert Counter(message.detail_type for message in sent)["BatchReadinessTimeout"] == len(names)
    assert final_results(world, *others) == dict.fromkeys(names, 1)


@pytest.mark.fault(9)
def test_a_sweep_stops_where_time_runs_short_and_the_next_goes_on(world: World) -> None:
    world.register.register([registration(1, f"b{n}") for n in range(PAGE + 1)])
    world.pass_the_deadline()
    allowed = iter([True, False, False, False])
    assert len(world.expire.run(lambda: next(allowed)).closed) == PAGE
    assert len(world.expire.run(lambda: True).closed) == 1


@pytest.mark.fault(9)
def test_a_sweep_does_not_wait_for_a_batch_that_another_holds(world: World, others: list[World]) -> None:
    world.register.register([registration(1, "held"), registration(1, "free")])
    world.pass_the_deadline()
    with others[0].engine.begin() as holder:
        holder.exec_driver_sql("SELECT FROM batches WHERE batch_id = 'held' FOR UPDATE")
        assert [batch.batch_id for batch in world.expire.run(lambda: True).closed] == ["free"]
    assert [batch.batch_id for batch in world.expire.run(lambda: True).closed] == ["held"]


class Jumping:
    """The clock of a process that is years off."""

    def __init__(self, world: World, years: int) -> None:
        self._clock = world.clock
        self._off = timedelta(days=365 * years)

    def now(self) -> datetime:
        return self._clock.now() + self._off


@pytest.mark.fault(14)
@pytest.mark.parametrize("years", [-5, 5])
def test_the_clock_of_a_process_makes_nothing_late_or_early(
    world: World, database_url: str, valkey: ValkeyServer, years: int
) -> None:
    wrong = World(database_url, valkey.url, clock=Jumping(world, years))
    wrong.register.register([registration(2), registration(1, "due")])
    world.execute("UPDATE batches SET deadline = clock_timestamp() WHERE batch_id = 'due'")
    assert wrong.outcomes([content("a"), failure("f"), content("late", "due")]) == {
        "assigned": 1,
        "failed": 1,
        "excess": 1,
    }
    wrong.close()
