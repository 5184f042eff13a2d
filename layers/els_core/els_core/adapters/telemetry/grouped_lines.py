"""Log lines that share all but a few fields: what they share is formatted once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from pydantic_core import to_json

if TYPE_CHECKING:
    from aws_lambda_powertools.logging.types import LogRecord

LINES = "lines"  # the key under which the lines of a group travel to the formatter


class GroupedLines(LambdaPowertoolsFormatter):
    """Formats what the lines of a group share once, and writes a line for each of them."""

    def serialize(self, log: LogRecord) -> str:
        """Return one line of JSON, or one for each of the group's `LINES`."""
        shared: dict[str, Any] = dict(log)
        lines: list[dict[str, object]] = shared.pop(LINES, [{}])
        return "\n".join(to_json(shared | line, fallback=str).decode() for line in lines)
