"""Time as an input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class FakeClock:
    """Stands still but for a microsecond per look, so that no two looks are the same."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the time."""
        self._now += TICK
        return self._now

    def advance(self, span: timedelta) -> None:
        """Jump, forwards or backwards."""
        self._now += span
