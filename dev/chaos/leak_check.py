"""Whether the memory of the instances is flat."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev.chaos.lambda_fleet import Fleet

EVERY_SECONDS = 1.0
# The rule: the median of the last quarter of the looks is at most this much above that of the second quarter.
# The first quarter is the warming up. Of some 100 MB that is 3 MB, to be found in half of a run: at the
# default rate an instance serves about 100 invocations a minute, so ten minutes show a leak of 6 kB each.
GROWTH = 0.03


@dataclass
class Memory:
    """The resident bytes of each instance, looked at once a second."""

    fleet: Fleet
    looks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _last: float = 0.0

    def look(self) -> None:
        """Note the memory of all instances, if the last look is long enough ago."""
        if monotonic() - self._last < EVERY_SECONDS:
            return
        self._last = monotonic()
        for at, runtime in enumerate(self.fleet.runtimes):
            if (held := runtime.memory()) and runtime.is_warm:
                self.looks[f"{runtime.function} {at}"].append(held)

    def growth(self) -> dict[str, tuple[float, float]]:
        """Return the megabytes of each instance, as the medians of the second and of the last quarter."""
        return {
            name: (_quarter(looks, 1), _quarter(looks, 3))
            for name, looks in self.looks.items()
            if len(looks) >= 4  # noqa: PLR2004 - quarters
        }

    def breaches(self) -> list[str]:
        """Return the instances whose memory grows."""
        return [
            f"{name}: {before:.1f} MB became {after:.1f} MB"
            for name, (before, after) in self.growth().items()
            if after > before * (1 + GROWTH)
        ]


def _quarter(looks: list[int], which: int) -> float:
    """Return the median of a quarter, in megabytes."""
    size = len(looks)
    return median(looks[size * which // 4 : size * (which + 1) // 4]) / 1e6
