"""Tasks that run one at a time and hand over where they say so, so that an interleaving can be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ProcessDied(BaseException):
    """A process ends here, at once; no code of it can catch that."""


class StuckError(Exception):
    """Every task waits for another."""


@dataclass(eq=False)
class Task:
    """A process that runs between pauses; `at` is the pause at which it stands."""

    name: str
    work: Callable[[], object]
    at: str = "start"
    is_killed: bool = False
    blow: Exception | None = None
    error: Exception | None = None
    is_ready: Callable[[], bool] = field(default=lambda: True)
    thread: greenlet | None = None

    def kill(self) -> None:
        """Let the process die at the pause at which it stands."""
        self.is_killed = True

    def strike(self, blow: Exception) -> None:
        """Let the call at which it stands fail, a wait for a lock too."""
        self.blow = blow


class Turns:
    """Decides who runs. Outside a task, nothing pauses."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self._running: Task | None = None
        self._hub: greenlet | None = None

    @property
    def running(self) -> str:
        """Return the name of the task that runs, or nothing outside of one."""
        return self._running.name if self._running else ""

    def spawn(self, name: str, work: Callable[[], object]) -> Task:
        """Add a task; it starts when it is chosen."""
        task = Task(name, work)
        task.thread = greenlet(lambda: _live(task))
        self.tasks.append(task)
        return task

    def pause(self, at: str) -> None:
        """Let others run, if this is a task."""
        self.wait(at, lambda: True)

    def wait(self, at: str, is_ready: Callable[[], bool]) -> None:
        """Let others run until it is ready; raise `StuckError` when there are none."""
        task = self._running
        if task is None or self._hub is None:
            if not is_ready():
                raise StuckError(f"waits at {at}, and there is no other task")
            return
        task.at, task.is_ready = at, is_ready
        self._hub.switch()
        task.is_ready = lambda: True
        if task.is_killed:
            raise ProcessDied
        if task.blow is not None:
            blow, task.blow = task.blow, None
            raise blow

    def run(self, choose: Callable[[Sequence[Task]], Task]) -> None:
        """Run until every task has ended; `choose` names the next of those that can go on."""
        self._hub = getcurrent()
        try:
            while self.tasks:
                ready = [task for task in self.tasks if _can_go_on(task)]
                if not ready:
                    raise StuckError(", ".join(f"{task.name} at {task.at}" for task in self.tasks))
                self._resume(choose(ready))
        finally:
            self._hub = None

    def _resume(self, task: Task) -> None:
        if task.thread is None:
            raise StuckError(f"{task.name} was not spawned")
        self._running = task
        try:
            task.thread.switch()
        finally:
            self._running = None
        if task.thread.dead:
            self.tasks.remove(task)
            if task.error is not None:
                raise task.error


def _can_go_on(task: Task) -> bool:
    return task.is_killed or task.blow is not None or task.is_ready()


class RoundRobin:
    """Lets each task run to its next pause, in turn."""

    def __init__(self) -> None:
        self._waited: dict[Task, int] = {}
        self._turn = 0

    def __call__(self, ready: Sequence[Task]) -> Task:
        self._turn += 1
        chosen = min(ready, key=lambda task: self._waited.get(task, 0))
        self._waited[chosen] = self._turn
        return chosen


def _live(task: Task) -> None:
    """Run the work of a task to its end, its death or its error."""
    try:
        if not task.is_killed:
            task.work()
    except ProcessDied:
        return
    except Exception as error:  # noqa: BLE001 - the hub raises it
        task.error = error
