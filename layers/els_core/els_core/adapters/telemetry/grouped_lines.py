"""Log lines that share all but a few fields: what they share is formatted once. Errors are told by class."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from pydantic_core import to_json

from els_core.domain.errors import words_of

if TYPE_CHECKING:
    from types import TracebackType

    from aws_lambda_powertools.logging.types import LogRecord

LINES = "lines"  # the key under which the lines of a group travel to the formatter

MAX_ERRORS, MAX_FRAMES = 10, 30  # of a chain of causes, and of each of its errors


class GroupedLines(LambdaPowertoolsFormatter):
    """Formats what the lines of a group share once, and writes a line for each of them."""

    def serialize(self, log: LogRecord) -> str:
        """Return one line of JSON, or one for each of the group's `LINES`."""
        shared: dict[str, Any] = dict(log)
        lines: list[dict[str, object]] = shared.pop(LINES, [{}])
        return "\n".join(to_json(shared | line, fallback=str).decode() for line in lines)

    def formatException(  # noqa: N802 - its name in the base class
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return an error and what caused it, with their frames: their messages only where they are ours."""
        error, lines = ei[1], list[str]()
        for _ in range(MAX_ERRORS):
            if error is None:
                break
            frames = traceback.format_tb(error.__traceback__, limit=-MAX_FRAMES)
            lines += (f"{type(error).__name__}: {words_of(error)}\n", *frames)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "".join(lines)
