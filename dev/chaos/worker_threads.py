"""Threads that repeat a step until they are stopped; the first that fails ends the experiment."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from dev.programs.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable

JOIN_SECONDS = 60


class WorkerThreads(Lifecycle):
    """A context manager: on exit all its threads are stopped and joined."""

    def __init__(self) -> None:
        self.stopped = Event()
        self._threads: list[Thread] = []
        self._failures: list[BaseException] = []

    def _open(self) -> None:
        """Do nothing: `start` begins each thread."""

    def close(self) -> None:
        """Stop all threads and join them."""
        self.stopped.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def start(self, name: str, step: Callable[[], None], until: Event | None = None) -> None:
        """Repeat a step in a thread of its own until all threads are stopped, or `until` is set."""

        def work() -> None:
            try:
                while not self.stopped.is_set() and not (until and until.is_set()):
                    step()
            except BaseException as failure:  # noqa: BLE001 - raise_failure raises it in the main thread
                self._failures.append(failure)

        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the threads are stopped."""
        self.stopped.wait(seconds)

    def raise_failure(self) -> None:
        """Raise the first exception that ended a thread, if any."""
        if self._failures:
            raise self._failures[0]
