"""Moments and spans as people write them: `+2h`, `90m`, `2026-01-31T12:00Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from els.exits import ExitCode, StopError

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"(\d{1,7})([smhd]?)")


def read_span(text: str) -> timedelta:
    """Return a span such as `90m`; a number alone is seconds."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise StopError(ExitCode.USAGE, "the time is not understood: expected a span such as 90m, 2h or 1d")
    return timedelta(seconds=int(match.group(1)) * _UNITS[match.group(2)])


def read_moment(text: str, now: datetime) -> datetime:
    """Return a moment in UTC: `+2h` from now, or an ISO 8601 time with its offset."""
    if text.startswith("+"):
        return now + read_span(text[1:])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = "the deadline is not understood: expected +2h, or a time with its offset, 2026-01-31T12:00Z"
        raise StopError(ExitCode.USAGE, message)
    return moment.astimezone(UTC)
