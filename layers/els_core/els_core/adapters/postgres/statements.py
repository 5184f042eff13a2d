"""The SQL, for PostgreSQL 15 and later; it is written in the `.sql` files beside this one.

Each statement begins with `-- name:`; its header says what it promises, the shapes of its parameters and what
it returns. Bulk data are one JSON parameter each (decision 1).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

FILES = (
    "audit",
    "batches",
    "deadlines",
    "decisions",
    "erasure",
    "health",
    "history",
    "outbox",
    "parking",
    "reading",
    "steering",
)
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with the placeholders of the protocol, and the names of its parameters in their order.

    `name` is what it is prepared as: a hash of its SQL, so that one name never means two statements.
    """

    sql: str
    parameters: tuple[str, ...]
    name: bytes

    @classmethod
    def of(cls, body: str) -> Statement:
        """Return the statement of a body whose parameters are written as `:name`."""
        parameters = tuple(dict.fromkeys(_PARAMETER.findall(body)))
        sql = _PARAMETER.sub(lambda found: f"${parameters.index(found[1]) + 1}", body)
        return cls(sql, parameters, f"els_{hashlib.sha256(sql.encode()).hexdigest()[:32]}".encode())


def read_statements() -> dict[str, str]:
    """Return header and body of each statement by name; raise ValueError for a name that is defined twice."""
    found: dict[str, str] = {}
    for file in FILES:
        source = resources.files(__package__).joinpath("sql", f"{file}.sql").read_text("utf-8")
        _, *parts = _NAME.split(source)
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"the statement {name} is defined twice, once more in {file}.sql")
            found[name] = statement
    return found


def body_of(statement: str) -> str:
    """Return a statement without its header."""
    return _COMMENT.sub("", statement).strip()


_BODIES = {name: body_of(statement) for name, statement in read_statements().items()}


def _statement(name: str) -> Statement:
    return Statement.of(_BODIES[name])


BEGIN_EPOCHS = _statement("begin_epochs")
CHANGE_SLOTS = _statement("change_slots")
DELETE_OLD_BATCHES = _statement("delete_old_batches")
DELETE_PARKED = _statement("delete_parked")
DELETE_SENT = _statement("delete_sent")
ERASE_PERSONAL_DATA = _statement("erase_personal_data")
FIND_ARRIVALS = _statement("find_arrivals")
FIND_IDLE_OPEN = _statement("find_idle_open")
FIND_STUCK = _statement("find_stuck")
INSERT_COMMAND = _statement("insert_command")
INSERT_INTO_OUTBOX = _statement("insert_into_outbox")
INSERT_KEPT_RESULT = _statement("insert_kept_result")
INSERT_PLACEHOLDERS = _statement("insert_placeholders")
INSERT_REJECTED_REGISTRATIONS = _statement("insert_rejected_registrations")
KEEP_RESULT = _statement("keep_result")
LIST_BATCHES = _statement("list_batches")
LIST_WAITING_BATCHES = _statement("list_waiting_batches")
LOCK_BATCHES = _statement("lock_batches")
LOCK_OVERDUE = _statement("lock_overdue")
MARK_OVERDUE_PARKED = _statement("mark_overdue_parked")
NOTE_RUN = _statement("note_run")
OPEN_BATCHES = _statement("open_batches")
READ_BACKLOG = _statement("read_backlog")
READ_BATCHES_OF_USER = _statement("read_batches_of_user")
READ_COMMAND = _statement("read_command")
READ_HISTORY = _statement("read_history")
READ_ITEMS = _statement("read_items")
READ_LOCKED_VIEW = _statement("read_locked_view")
READ_OVERVIEW = _statement("read_overview")
READ_PARKED = _statement("read_parked")
READ_SNAPSHOTS = _statement("read_snapshots")
READ_STANDBY = _statement("read_standby")
READ_TIME = _statement("read_time")
READ_UNSENT = _statement("read_unsent")
RECORD_DECISIONS = _statement("record_decisions")
RECOUNT = _statement("recount")
SUPERSEDE_ARRIVALS = _statement("supersede_arrivals")
