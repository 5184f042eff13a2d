"""Letting worlds live, and making the story of a broken promise as short as it gets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.simulation.choices import Choices
from tests.simulation.random_world import RandomWorld
from tests.simulation.verdicts import PromiseBrokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dev.invariants.checks import Violation
    from tests.simulation.trace_log import Story

MOST_ATTEMPTS = 4_000
MOST_LETTERS = 64  # more than most worlds send


@dataclass(frozen=True, slots=True)
class Life:
    """One world that has lived: all that was drawn, what happened, and the promise that broke, if one did."""

    plan: Sequence[int]
    course: Sequence[int]
    omitted: frozenset[int]
    story: Story
    breach: Violation | None

    @property
    def size(self) -> tuple[int, int, int]:
        """Return how long the story is, and how much was out of the ordinary."""
        drawn = (*self.plan, *self.course)
        return len(self.story), sum(map(bool, drawn)), sum(drawn) + len(drawn) - len(self.omitted)


def live(plan: Choices, course: Choices, omitted: frozenset[int] = frozenset()) -> Life:
    """Let a world live to its end or to the first broken promise."""
    world = RandomWorld(plan, course, omitted)
    breach = None
    try:
        world.live()
    except PromiseBrokenError as broken:
        breach = broken.breach
    return Life(plan.made, course.made, omitted, world.story, breach)


def live_seed(seed: int) -> Life:
    """Let the world of a seed live; the same in every process."""
    return live(Choices(f"plan {seed}"), Choices(f"course {seed}"))


def shortest(life: Life) -> Life:
    """Take away what is not needed for the same promise to break; raise `ValueError` when none broke."""
    if life.breach is None:
        raise ValueError("no promise broke")
    size_before, attempts = None, 0
    while life.size != size_before:
        size_before = life.size
        for simpler in _edits(life):
            draws = simpler(life)
            if draws is None or attempts == MOST_ATTEMPTS:
                continue
            attempts += 1
            plan, course, omitted = draws
            tried = live(Choices(given=plan), Choices(given=course), omitted)
            if _is_the_same(tried.breach, life.breach) and tried.size < life.size:
                life = tried
    return life


def _is_the_same(breach: Violation | None, wanted: Violation | None) -> bool:
    return breach is not None and wanted is not None and breach.invariant == wanted.invariant


type _Draws = tuple[Sequence[int], Sequence[int], frozenset[int]]
type _Edit = Callable[[Life], _Draws | None]


def _edits(life: Life) -> Iterator[_Edit]:
    """Yield ways to make a world simpler, the boldest first."""
    for size in _halves(MOST_LETTERS):
        yield from (partial(_unsent, start=start, size=size) for start in range(0, MOST_LETTERS, size))
    for size in _halves(len(life.course)):
        starts = range(0, len(life.course), size)
        yield from (partial(edit, start=start, size=size) for start in starts for edit in (_cut, _dulled))
    for at in range(len(life.plan)):
        yield from (partial(_smaller, at=at, by=by) for by in (0, 2, 1))


def _unsent(life: Life, start: int, size: int) -> _Draws | None:
    """Do not send some letters."""
    omitted = life.omitted | frozenset(range(start, start + size))
    return (life.plan, life.course, omitted) if omitted != life.omitted else None


def _cut(life: Life, start: int, size: int) -> _Draws | None:
    """Leave some chances out."""
    course = [*life.course[:start], *life.course[start + size :]]
    return (life.plan, course, life.omitted) if len(course) < len(life.course) else None


def _dulled(life: Life, start: int, size: int) -> _Draws | None:
    """Let nothing special happen for some time."""
    part = life.course[start : start + size]
    course = [*life.course[:start], *([0] * len(part)), *life.course[start + size :]]
    return (life.plan, course, life.omitted) if any(part) else None


def _smaller(life: Life, at: int, by: int) -> _Draws | None:
    """Draw less in the plan: nothing, half, or one less."""
    if at >= len(life.plan) or not life.plan[at]:
        return None
    drawn = {0: 0, 2: life.plan[at] // 2, 1: life.plan[at] - 1}[by]
    return [*life.plan[:at], drawn, *life.plan[at + 1 :]], life.course, life.omitted


def _halves(size: int) -> Iterator[int]:
    while size:
        yield size
        size //= 2
