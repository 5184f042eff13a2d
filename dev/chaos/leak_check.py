"""Checks that the memory of the function instances does not grow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev.chaos.lambda_fleet import LambdaFleet

INTERVAL_SECONDS = 1.0
# The median of the last quarter of the samples may be this much above that of the second quarter; the first
# quarter is the warm-up. Of some 100 MB that is 3 MB, to be found in half of a run: at the default rate an
# instance serves about 100 invocations a minute, so ten minutes show a leak of 6 kB per invocation.
MAX_GROWTH = 0.03
QUARTERS = 4


@dataclass
class LeakCheck:
    """Samples the resident memory of each instance once a second."""

    fleet: LambdaFleet
    samples: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _sampled_at: float = 0.0

    def sample(self) -> None:
        """Sample all warm instances, unless the last sample is less than a second old."""
        if monotonic() - self._sampled_at < INTERVAL_SECONDS:
            return
        self._sampled_at = monotonic()
        for position, runtime in enumerate(self.fleet.runtimes):
            if (resident := runtime.memory()) and runtime.is_warm:
                self.samples[f"{runtime.function} {position}"].append(resident)

    def growth(self) -> dict[str, tuple[float, float]]:
        """Return the megabytes of each instance: the medians of the second and of the last quarter."""
        return {
            name: (_median_of_quarter(samples, 1), _median_of_quarter(samples, 3))
            for name, samples in self.samples.items()
            if len(samples) >= QUARTERS
        }

    def leaks(self) -> list[str]:
        """Return the instances whose memory grows."""
        return [
            f"{name}: grew from {before:.1f} MB to {after:.1f} MB"
            for name, (before, after) in self.growth().items()
            if after > before * (1 + MAX_GROWTH)
        ]


def _median_of_quarter(samples: list[int], quarter: int) -> float:
    """Return the median of a quarter of the samples, in megabytes."""
    size = len(samples)
    return median(samples[size * quarter // QUARTERS : size * (quarter + 1) // QUARTERS]) / 1e6
