"""Tell where a batch stands, from the record, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.domain.batches import Status

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from els_core.application.ports.repository import Repository
    from els_core.domain.batches import BatchSnapshot

NAMED = 5  # missing slots that the sentence names; the list is complete beside it


@dataclass(frozen=True, slots=True)
class BatchDescription:
    """A batch as the record has it at `now`, and one sentence that says what it waits for."""

    snapshot: BatchSnapshot
    now: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Answers from Postgres, so that what is told is true."""

    repository: Repository

    def read(self, batch_id: str) -> BatchDescription | None:
        """Return the batch, or None when nobody has named it yet."""
        found = self.repository.find(batch_id)
        return BatchDescription(*found, describe(*found)) if found else None


def describe(snapshot: BatchSnapshot, now: datetime) -> str:
    """Return the sentence, such as "waiting for 3 of 25: a, b, c; 2 files failed; 41 minutes left"."""
    batch = snapshot.batch
    match batch.status:
        case Status.AWAITED:
            return "waiting for its registration; what arrives until then is parked"
        case Status.OPEN:
            parts = [_waiting(snapshot), _failed(batch.failed_count), _time_left(batch.deadline, now)]
        case Status.READY:
            assigned = f"ready: {batch.assigned_count} of {batch.expected_count} assigned"
            parts = [assigned, _failed(batch.failed_count)]
        case Status.FAILED:
            parts = [f"failed: none of {_files(batch.expected_count)} could be used"]
        case Status.TIMED_OUT:
            parts = [f"timed out with {_missing(snapshot)} missing", _failed(batch.failed_count)]
    return "; ".join(part for part in parts if part)


def _waiting(snapshot: BatchSnapshot) -> str:
    return f"waiting for {_missing(snapshot)}"


def _missing(snapshot: BatchSnapshot) -> str:
    more = len(snapshot.available) - NAMED
    names = ", ".join(snapshot.available[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(snapshot.available)} of {snapshot.batch.expected_count}: {names}"


def _failed(count: int) -> str:
    return f"{_files(count)} failed" if count else ""


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _time_left(deadline: datetime | None, now: datetime) -> str:
    if deadline is None:
        return ""
    if deadline <= now:
        return "its deadline has passed and the next sweep closes it"
    return f"{_span(deadline - now)} left"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, transaction in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {transaction}" if count == 1 else f"{count} {transaction}s"
    return "less than a minute"
