"""Threads that work until they are told to stop; the first that fails ends the run."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

JOIN_SECONDS = 60


class Crew:
    """A context manager: when it ends, no thread of it is left."""

    def __init__(self) -> None:
        self.is_over = Event()
        self._threads: list[Thread] = []
        self._failures: list[BaseException] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def put_to_work(self, name: str, step: Callable[[], None], until: Event | None = None) -> None:
        """Repeat a step in a thread of its own until the crew is over, or the event is set."""

        def work() -> None:
            try:
                while not self.is_over.is_set() and not (until and until.is_set()):
                    step()
            except BaseException as failure:  # noqa: BLE001 - it is raised by check, in the main thread
                self._failures.append(failure)

        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def pause(self, seconds: float) -> None:
        """Wait, shorter when the crew is over."""
        self.is_over.wait(seconds)

    def check(self) -> None:
        """Raise the first failure of a thread, if any."""
        if self._failures:
            raise self._failures[0]
