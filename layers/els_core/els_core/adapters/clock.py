"""The clock of this process."""

from datetime import UTC, datetime


class SystemClock:
    """The port `Clock`; the one place that may ask the machine for the time."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the port that all others are sent to
