"""A cooperative scheduler: tasks run one at a time and yield at known points, so runs are repeatable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ProcessKilled(BaseException):
    """A process ends at once. No code of the service can catch this."""


class DeadlockError(Exception):
    """Every task waits for another one."""


@dataclass(eq=False)
class Task:
    """A simulated process that runs between yield points; `at` names the one at which it is suspended."""

    name: str
    work: Callable[[], object]
    at: str = "start"
    is_killed: bool = False
    injected: Exception | None = None
    error: Exception | None = None
    is_ready: Callable[[], bool] = field(default=lambda: True)
    thread: greenlet | None = None

    def kill(self) -> None:
        """End the process at the yield point at which it is suspended."""
        self.is_killed = True

    def fail_with(self, error: Exception) -> None:
        """Make the call at which the task is suspended raise this error, even if it waits for a lock."""
        self.injected = error


class CooperativeScheduler:
    """Resumes one task at a time. Outside of a task, nothing yields."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self._running: Task | None = None
        self._hub: greenlet | None = None

    @property
    def running(self) -> str:
        """Return the name of the running task, or an empty string outside of a task."""
        return self._running.name if self._running else ""

    def spawn(self, name: str, work: Callable[[], object]) -> Task:
        """Add a task; it starts when it is chosen."""
        task = Task(name, work)
        task.thread = greenlet(lambda: _run(task))
        self.tasks.append(task)
        return task

    def pause(self, at: str) -> None:
        """Yield to the other tasks, if this is a task."""
        self.wait(at, lambda: True)

    def wait(self, at: str, is_ready: Callable[[], bool]) -> None:
        """Yield until `is_ready`; raise `DeadlockError` when there is no other task."""
        task = self._running
        if task is None or self._hub is None:
            if not is_ready():
                raise DeadlockError(f"waits at {at}, and there is no other task")
            return
        task.at, task.is_ready = at, is_ready
        self._hub.switch()
        task.is_ready = lambda: True
        if task.is_killed:
            raise ProcessKilled
        if task.injected is not None:
            error, task.injected = task.injected, None
            raise error

    def run(self, choose: Callable[[Sequence[Task]], Task]) -> None:
        """Run until every task has ended; `choose` picks the next one among those that are ready."""
        self._hub = getcurrent()
        try:
            while self.tasks:
                ready = [task for task in self.tasks if _can_resume(task)]
                if not ready:
                    raise DeadlockError(", ".join(f"{task.name} at {task.at}" for task in self.tasks))
                self._resume(choose(ready))
        finally:
            self._hub = None

    def _resume(self, task: Task) -> None:
        if task.thread is None:
            raise DeadlockError(f"{task.name} was not spawned")
        self._running = task
        try:
            task.thread.switch()
        finally:
            self._running = None
        if task.thread.dead:
            self.tasks.remove(task)
            if task.error is not None:
                raise task.error


def _can_resume(task: Task) -> bool:
    return task.is_killed or task.injected is not None or task.is_ready()


class RoundRobin:
    """Chooses the ready task that has waited longest."""

    def __init__(self) -> None:
        self._last_chosen: dict[Task, int] = {}
        self._step = 0

    def __call__(self, ready: Sequence[Task]) -> Task:
        self._step += 1
        chosen = min(ready, key=lambda task: self._last_chosen.get(task, 0))
        self._last_chosen[chosen] = self._step
        return chosen


def _run(task: Task) -> None:
    """Run the work of a task until it returns, is killed or raises."""
    try:
        if not task.is_killed:
            task.work()
    except ProcessKilled:
        return
    except Exception as error:  # noqa: BLE001 - the scheduler raises it
        task.error = error
