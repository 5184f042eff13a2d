"""Letting worlds live, and making the story of a broken promise as short as it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.choices import Choices
from tests.simulation.judging import PromiseBrokenError
from tests.simulation.random_world import RandomWorld

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dev.promises import Breach
    from tests.simulation.story import Story

MOST_ATTEMPTS = 1_500


@dataclass(frozen=True, slots=True)
class Life:
    """One world that has lived: all that was drawn, what happened, and the promise that broke, if one did."""

    plan: Sequence[int]
    course: Sequence[int]
    story: Story
    breach: Breach | None

    @property
    def size(self) -> tuple[int, int, int]:
        """Return how long the story is, and how much was out of the ordinary."""
        drawn = (*self.plan, *self.course)
        return len(self.story), sum(map(bool, drawn)), sum(drawn) + len(drawn)


def live(plan: Choices, course: Choices) -> Life:
    """Let a world live to its end or to the first broken promise."""
    world = RandomWorld(plan, course)
    breach = None
    try:
        world.live()
    except PromiseBrokenError as broken:
        breach = broken.breach
    return Life(plan.made, course.made, world.story, breach)


def live_seed(seed: int) -> Life:
    """Let the world of a seed live; the same in every process."""
    return live(Choices(f"plan {seed}"), Choices(f"course {seed}"))


def shortest(life: Life) -> Life:
    """Take away what is not needed for the same promise to break; raise `ValueError` when none broke."""
    if life.breach is None:
        raise ValueError("no promise broke")
    broken = life.breach.promise
    attempts = 0
    is_shorter = True
    while is_shorter and attempts < MOST_ATTEMPTS:
        is_shorter = False
        for plan, course in _simpler(life.plan, life.course):
            attempts += 1
            tried = live(Choices(given=plan), Choices(given=course))
            if tried.breach is not None and tried.breach.promise == broken and tried.size < life.size:
                life = tried
                is_shorter = True
                break
            if attempts >= MOST_ATTEMPTS:
                break
    return life


def _simpler(plan: Sequence[int], course: Sequence[int]) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Yield simpler draws, the boldest first: parts left out, made dull, or smaller."""
    longest = max(len(plan), len(course))
    size = longest
    while size:
        for start in range(0, longest, size):
            for shorter in (_without, _dull):
                if course[start : start + size]:
                    yield plan, shorter(course, start, size)
                if plan[start : start + size]:
                    yield shorter(plan, start, size), course
        size //= 2
    for at, drawn in enumerate(plan):
        if drawn > 1:
            yield [*plan[:at], drawn // 2, *plan[at + 1 :]], course


def _without(drawn: Sequence[int], start: int, size: int) -> Sequence[int]:
    return [*drawn[:start], *drawn[start + size :]]


def _dull(drawn: Sequence[int], start: int, size: int) -> Sequence[int]:
    return [*drawn[:start], *([0] * len(drawn[start : start + size])), *drawn[start + size :]]
