"""Tasks run in the chosen order, and are killed or fail at the yield point at which they are suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.cooperative_scheduler import CooperativeScheduler, DeadlockError, RoundRobin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.cooperative_scheduler import Task


def test_an_injected_error_is_raised_at_once_even_by_a_call_that_waits() -> None:
    scheduler = CooperativeScheduler()
    running: list[str] = []

    def work() -> None:
        with pytest.raises(LookupError):
            scheduler.wait("a lock", lambda: False)
        running.append(scheduler.running)

    waiting = scheduler.spawn("waiting", work)
    scheduler.spawn("other", lambda: scheduler.pause("a call"))

    def choose(ready: Sequence[Task]) -> Task:
        if waiting in scheduler.tasks and waiting.at == "a lock":
            waiting.fail_with(LookupError())
            return waiting
        return ready[0]

    scheduler.run(choose)
    assert running == ["waiting"]
    assert scheduler.running == ""


def test_a_killed_task_runs_no_line_after_the_yield_point() -> None:
    scheduler = CooperativeScheduler()
    done: list[str] = []

    def work() -> None:
        done.append("before")
        scheduler.pause("a call")
        done.append("after")

    task = scheduler.spawn("victim", work)

    def choose(ready: Sequence[Task]) -> Task:
        if task.at == "a call":
            task.kill()
        return ready[0]

    scheduler.run(choose)
    assert done == ["before"]
    assert scheduler.tasks == []


def test_tasks_that_wait_for_each_other_are_a_deadlock() -> None:
    scheduler = CooperativeScheduler()
    scheduler.spawn("one", lambda: scheduler.wait("lock 1", lambda: False))
    scheduler.spawn("two", lambda: scheduler.wait("lock 2", lambda: False))
    with pytest.raises(DeadlockError, match="one at lock 1, two at lock 2"):
        scheduler.run(RoundRobin())
