"""The choices of a run: drawn from a seed, or given as a sequence that may be shorter and simpler."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Choices:
    """Makes choices and records them in `made`. Zero is always the simplest choice, so shrinking aims at it.

    Without a seed, the choices are those of `given`, and zeros when these are used up.
    """

    def __init__(self, seed: str | None = None, given: Sequence[int] = ()) -> None:
        self._random = Random(seed) if seed is not None else None  # noqa: S311 - repeatable, not secret
        self._given = given
        self.made: list[int] = []

    def below(self, limit: int) -> int:
        """Choose an integer from 0 to `limit` - 1."""
        if self._random is not None:
            chosen = int(self._random.random() * limit)
        else:
            position = len(self.made)
            chosen = min(self._given[position], limit - 1) if position < len(self._given) else 0
        self.made.append(chosen)
        return chosen

    def chance(self, percent: int) -> bool:
        """Choose True with this probability; False is simpler."""
        return self.below(100) >= 100 - percent

    def one_of[T](self, options: Sequence[T]) -> T:
        """Choose one option; the first is the simplest."""
        return options[self.below(len(options))]

    def some_of[T](self, options: Sequence[T]) -> Sequence[T]:
        """Choose some options and their order; all of them as they are is the simplest."""
        match self.below(4) if options else 0:
            case 1:
                return options[::-1]
            case 2:
                return [self.one_of(options)]
            case 3:
                start = self.below(len(options))
                return [*options[start:], *options[:start]]
            case _:
                return options
