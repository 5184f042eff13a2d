"""The port `Clock` in memory: time is an input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class FakeClock:
    """Stands still, except that each reading is one microsecond later than the one before."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the time; no two readings are equal."""
        self._now += TICK
        return self._now

    def advance(self, span: timedelta) -> None:
        """Move the time, forwards or backwards."""
        self._now += span
