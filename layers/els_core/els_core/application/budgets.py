"""How much one step may do, so that no input and no backlog exceeds memory, time or a limit of AWS."""

from __future__ import annotations

from collections.abc import Callable

# Slots and parked arrivals that one transaction reads into memory: four batches of the largest size. With the
# longest names they take some 30 MB.
MAX_SLOTS = 8_000

# Asked before every further step: False when the time that the function has left runs short.
type MayContinue = Callable[[], bool]


def always() -> bool:
    """Return True: no time limit."""
    return True
