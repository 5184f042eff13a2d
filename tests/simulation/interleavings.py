"""All interleavings of tasks up to a number of preemptions (preemption bounding)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fakes.cooperative_scheduler import Task


class Interleaving:
    """Follows the given names, then preempts no task any more; `others` are the prefixes not yet tried."""

    def __init__(self, given: Sequence[str], preemptions: int) -> None:
        self.taken: list[str] = []
        self.others: list[list[str]] = []
        self._given = given
        self._preemptions_left = preemptions

    def __call__(self, ready: Sequence[Task]) -> Task:
        """Choose the task to resume."""
        names = [task.name for task in ready]
        running = self.taken[-1] if self.taken and self.taken[-1] in names else None
        position = len(self.taken)
        if position < len(self._given):
            chosen = self._given[position]
        else:
            chosen = running or names[0]
            if self._preemptions_left or running is None:
                self.others += [[*self.taken, name] for name in names if name != chosen]
        if running is not None and chosen != running:
            self._preemptions_left -= 1
        self.taken.append(chosen)
        return ready[names.index(chosen)]


def interleavings(preemptions: int) -> Iterator[Interleaving]:
    """Yield every interleaving; run each one before asking for the next."""
    prefixes: list[list[str]] = [[]]
    while prefixes:
        interleaving = Interleaving(prefixes.pop(), preemptions)
        yield interleaving
        prefixes.extend(interleaving.others)
