"""The named SQL statements of `sql/*.sql`, for PostgreSQL 15 and later. A missing one fails this import.

The comments in the files are for readers; Postgres gets the SQL alone. Bulk data is one JSON parameter each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import TextClause

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
COMMENTS = re.compile(r"^--.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement, ready to be executed with its parameters."""

    name: str
    clause: TextClause

    @property
    def operation(self) -> str:
        """Return the name in words, for error texts and logs: `lock batches`."""
        return self.name.replace("_", " ")


def _load() -> dict[str, Statement]:
    """Read all files; each `-- name:` starts a statement."""
    found: dict[str, Statement] = {}
    for file in resources.files(__package__).joinpath("sql").iterdir():
        _, *parts = NAME.split(file.read_text("utf-8"))
        for name, part in zip(parts[::2], parts[1::2], strict=True):
            sql = COMMENTS.sub("", part).strip().removesuffix(";")
            found[name] = Statement(name, text(sql))
    return found


_STATEMENTS = _load()

INSERT_PLACEHOLDER_BATCHES = _STATEMENTS["insert_placeholder_batches"]
LOCK_BATCHES = _STATEMENTS["lock_batches"]
READ_TIME = _STATEMENTS["read_time"]
OPEN_BATCHES = _STATEMENTS["open_batches"]
READ_SNAPSHOTS = _STATEMENTS["read_snapshots"]

READ_LOCKED_VIEW = _STATEMENTS["read_locked_view"]
RECORD_DECISIONS = _STATEMENTS["record_decisions"]

READ_PARKED_ARRIVALS = _STATEMENTS["read_parked_arrivals"]
DELETE_PARKED_ARRIVALS = _STATEMENTS["delete_parked_arrivals"]

INSERT_INTO_OUTBOX = _STATEMENTS["insert_into_outbox"]
DELETE_FROM_OUTBOX = _STATEMENTS["delete_from_outbox"]
READ_OUTBOX = _STATEMENTS["read_outbox"]

LOCK_OVERDUE_BATCHES = _STATEMENTS["lock_overdue_batches"]
MARK_OVERDUE_PARKED_ARRIVALS = _STATEMENTS["mark_overdue_parked_arrivals"]
DELETE_OLD_BATCHES = _STATEMENTS["delete_old_batches"]

FIND_STUCK = _STATEMENTS["find_stuck"]
RECOUNT_BATCHES = _STATEMENTS["recount_batches"]
READ_IDLE_OPEN_BATCHES = _STATEMENTS["read_idle_open_batches"]
