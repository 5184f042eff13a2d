"""Where a world's chances come from: a seed, or a list of earlier draws of which some were taken away."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Choices:
    """Draws numbers and remembers them. The first choice is always the dullest.

    Without a seed the `given` draws come, and then everything is dull: a shorter list is a calmer world.
    """

    def __init__(self, seed: str | None = None, given: Sequence[int] = ()) -> None:
        self._random = Random(seed) if seed is not None else None  # noqa: S311 - a repeatable world
        self._given = given
        self.made: list[int] = []

    def below(self, limit: int) -> int:
        """Draw a number from 0 up to below the limit."""
        if self._random is not None:
            drawn = int(self._random.random() * limit)
        else:
            at = len(self.made)
            drawn = min(self._given[at], limit - 1) if at < len(self._given) else 0
        self.made.append(drawn)
        return drawn

    def chance(self, percent: int) -> bool:
        """Draw yes or no; no is dull."""
        return self.below(100) >= 100 - percent

    def one_of[T](self, options: Sequence[T]) -> T:
        """Draw one of them; the first is dull."""
        return options[self.below(len(options))]

    def some_of[T](self, options: Sequence[T]) -> Sequence[T]:
        """Draw which come and in what order; all as they stand is dull."""
        match self.below(4) if options else 0:
            case 1:
                return options[::-1]
            case 2:
                return [self.one_of(options)]
            case 3:
                at = self.below(len(options))
                return [*options[at:], *options[:at]]
            case _:
                return options
