"""From values to places on an axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = (1, 2, 5, 10)
TICKS = 6


@dataclass(frozen=True)
class Scale:
    """Maps `low` to `start` and `high` to `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool

    @classmethod
    def over(
        cls, values: Sequence[float], start: float, end: float, *, is_log: bool, with_zero: bool = False
    ) -> Self:
        """Return a scale that shows all values; a logarithmic one begins and ends at powers of ten."""
        low, high = min(values, default=1.0), max(values, default=1.0)
        if is_log:
            low, high = 10.0 ** floor(log10(low)), 10.0 ** ceil(log10(high))
            return cls(low, high if high > low else low * 10, start, end, is_log)
        low = 0.0 if with_zero else low
        step = _step(high - low)
        return cls(low, low + ceil((high - low) / step) * step if high > low else low + 1, start, end, is_log)

    def place(self, value: float) -> float:
        """Return the place of a value."""
        if self.is_log:
            share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[tuple[float, float]]:
        """Return values for the grid, each with its place."""
        if self.is_log:
            powers = range(round(log10(self.low)), round(log10(self.high)) + 1)
            values = [10.0**power for power in powers]
        else:
            step = _step(self.high - self.low)
            values = [self.low + step * number for number in range(round((self.high - self.low) / step) + 1)]
        return [(value, self.place(value)) for value in values]


def _step(extent: float) -> float:
    """Return a round step that cuts an extent in at most `TICKS` parts."""
    if extent <= 0:
        return 1.0
    power: float = 10.0 ** floor(log10(extent / TICKS))
    return next(power * step for step in STEPS if extent / (power * step) <= TICKS)
