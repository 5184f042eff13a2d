"""The clock of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """The clock of this process: for housekeeping and measuring, never for a promise."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        ...
