"""One invocation of a function, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Invocation:
    """What one call of a handler took and answered; `error` is None unless it raised.

    `peak_mb` is the most memory that the process has had so far.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    answer: Any = None
    error: str | None = None

    def lambda_seconds(self, cpu_share: float) -> float:
        """Return the time on a share of a CPU: waiting takes as long as here, computing longer."""
        return scaled_seconds(self.wall_seconds, self.cpu_seconds, cpu_share)


def scaled_seconds(wall_seconds: float, cpu_seconds: float, cpu_share: float) -> float:
    """Return what `wall_seconds`, of which `cpu_seconds` were computed, take on a share of a CPU."""
    return max(0.0, wall_seconds - cpu_seconds) + cpu_seconds / cpu_share
