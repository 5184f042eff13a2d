"""Moments and spans as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from els.exits import ExitCode, StopError
from els.moments import read_moment, read_span

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90", timedelta(seconds=90)),
        ("5s", timedelta(seconds=5)),
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert read_span(text) == span


@pytest.mark.parametrize("text", ["", "-1h", "1.5h", "2w", "h", "1h30m"])
def test_another_span_is_refused(text: str) -> None:
    with pytest.raises(StopError, match="not understood"):
        read_span(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("+2h", datetime(2026, 1, 31, 14, tzinfo=UTC)),
        ("2026-02-01T12:00Z", datetime(2026, 2, 1, 12, tzinfo=UTC)),
        ("2026-02-01T12:00+01:00", datetime(2026, 2, 1, 11, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc(text: str, moment: datetime) -> None:
    assert read_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-01T12:00", ""])
def test_a_moment_without_its_offset_is_refused(text: str) -> None:
    with pytest.raises(StopError, match="offset") as stopped:
        read_moment(text, NOW)
    assert stopped.value.code is ExitCode.USAGE
