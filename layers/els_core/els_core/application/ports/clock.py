"""The clock of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """For housekeeping and measuring. Deadlines are decided by the clock of Postgres alone."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        ...
