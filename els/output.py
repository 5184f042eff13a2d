"""Prints answers: text for people, or one JSON object per line for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def printable(text: object) -> str:
    """Return a text without what a terminal would obey: others wrote it."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(text))


def say(text: str = "") -> None:
    """Print a line for people; line breaks in it stay."""
    sys.stdout.write("\n".join(printable(line) for line in text.split("\n")) + "\n")


def note(text: str) -> None:
    """Print a line beside the answer, so that a pipe gets the answer alone."""
    sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")


def emit(value: Mapping[str, Any]) -> None:
    """Print one JSON object in one line, at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their columns, as wide as the widest cell; an absent value is a dash."""
    cells = [[printable("-" if each in {None, ""} else each) for each in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
