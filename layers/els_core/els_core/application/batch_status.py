"""Describe where a batch stands, read from Postgres, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from els_core.domain.batches import Status

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from els_core.application.ports.repository import Repository
    from els_core.domain.batches import BatchSnapshot

NAMED = 5  # missing slots that the sentence names; the complete list stands beside it


@dataclass(frozen=True, slots=True)
class BatchDescription:
    """A snapshot of a batch at the time `now` of Postgres, and one sentence that says what it waits for."""

    snapshot: BatchSnapshot
    now: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Answers from Postgres, never from Redis, so the answer is true."""

    repository: Repository

    def read(self, batch_id: str) -> BatchDescription | None:
        """Return the batch, or None if no event has named it yet."""
        found = self.repository.find(batch_id)
        return BatchDescription(*found, describe(*found)) if found else None


def describe(snapshot: BatchSnapshot, now: datetime) -> str:
    """Return the sentence, such as "waiting for 3 of 25: a, b, c; 2 files failed; 41 minutes left"."""
    batch = snapshot.batch
    match batch.status:
        case Status.AWAITED:
            return "waiting for its registration; arrivals are parked until then"
        case Status.OPEN:
            waiting = f"waiting for {_missing(snapshot)}"
            parts = [waiting, _failed(batch.failed_count), _time_left(batch.deadline, now)]
        case Status.READY:
            assigned = f"ready: {batch.assigned_count} of {batch.expected_count} assigned"
            parts = [assigned, _failed(batch.failed_count)]
        case Status.FAILED:
            parts = [f"failed: none of {_files(batch.expected_count)} could be used"]
        case Status.TIMED_OUT:
            parts = [f"timed out with {_missing(snapshot)} missing", _failed(batch.failed_count)]
        case _:
            assert_never(batch.status)
    return "; ".join(part for part in parts if part)


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
    return f"{_duration(deadline - now)} left"


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"
