"""All ways in which tasks can take turns, up to a number of times that one is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fakes.cooperative_scheduler import Task


class Course:
    """One way: follows the names it is given, then lets who runs run on; notes where it could turn off."""

    def __init__(self, given: Sequence[str], interruptions: int) -> None:
        self.taken: list[str] = []
        self.others: list[list[str]] = []
        self._given = given
        self._left = interruptions

    def __call__(self, ready: Sequence[Task]) -> Task:
        """Choose who runs next."""
        names = [task.name for task in ready]
        running = self.taken[-1] if self.taken and self.taken[-1] in names else None
        at = len(self.taken)
        if at < len(self._given):
            chosen = self._given[at]
        else:
            chosen = running or names[0]
            if self._left or running is None:
                self.others += [[*self.taken, name] for name in names if name != chosen]
        if running is not None and chosen != running:
            self._left -= 1
        self.taken.append(chosen)
        return ready[names.index(chosen)]


def courses(interruptions: int) -> Iterator[Course]:
    """Yield every course, each to be followed before the next is asked for."""
    todo: list[list[str]] = [[]]
    while todo:
        course = Course(todo.pop(), interruptions)
        yield course
        todo.extend(course.others)
