"""A statement with its values, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from els_core.adapters.postgres.statements import Statement


@dataclass(slots=True)
class Result:
    """What a statement answered: rows of values in the order of the columns, and the tag of its command."""

    columns: tuple[str, ...]
    rows: list[list[Any]]
    tag: str

    @property
    def count(self) -> int:
        """Return how many rows were touched."""
        return int(self.tag.rpartition(" ")[2])

    def mappings(self) -> list[dict[str, Any]]:
        """Return each row as a mapping of its columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(slots=True)
class Call:
    """A statement with its values, and what it is for. `result` is there when it has been answered.

    `max_rows` is the most that it can return, or None for any number.
    """

    operation: str
    statement: Statement
    values: Mapping[str, object] = field(default_factory=dict)
    max_rows: int | None = None
    result: Result | None = None


def json_of(value: object) -> bytes:
    """Return a parameter that is JSON, in UTF-8."""
    return to_json(value)
