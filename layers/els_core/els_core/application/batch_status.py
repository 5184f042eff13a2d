"""Describe where a batch stands, read from Postgres, and who has to act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from els_core.application.ports.repository import LateFailure, PagePosition
from els_core.domain.batches import AssignedSlot, FreeSlot, RecordedFailure, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.application.ports.repository import BatchOverview, Repository, StatusItem
    from els_core.domain.batches import Batch

NAMED = 5  # missing slots that the sentence names; the complete list stands beside it
# What the items of a page take in Postgres. JSON may write a character in six bytes, and an answer of Lambda
# may have 6 MB. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
PAGE_BYTES = 700_000
MISSED = timedelta(minutes=3)  # sweep and relay run each minute


@dataclass(frozen=True, slots=True)
class BatchDescription:
    """Where a batch stands, one sentence about it, a page of its items, and where the next page begins."""

    overview: BatchOverview
    sentence: str
    items: Sequence[StatusItem]
    next_page: PagePosition | None


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Answers from Postgres, never from Redis, so the answer is true."""

    repository: Repository
    page_bytes: int = PAGE_BYTES

    def read(self, batch_id: str, page: PagePosition | None = None) -> BatchDescription | None:
        """Return the batch with a page of its items, or None if no event has named it yet."""
        overview = self.repository.overview(batch_id, NAMED)
        if overview is None:
            return None
        found = self.repository.status_items(batch_id, page or PagePosition(), self.page_bytes)
        following = None if found.is_last else _position_of(found.items[-1])
        return BatchDescription(overview, describe(overview), found.items, following)


def _position_of(item: StatusItem) -> PagePosition:
    match item:
        case FreeSlot() | AssignedSlot() | RecordedFailure():
            return PagePosition(1, item.essay_id)
        case LateFailure():
            return PagePosition(2, item.identity)
        case _:
            assert_never(item)


def describe(overview: BatchOverview) -> str:
    """Return the sentence, such as "waiting for 3 of 25: a, b, c; 2 files failed; 41 minutes left".

    It says only what is known: what happens next depends on jobs, so it says when these last ran.
    """
    batch = overview.batch
    match batch.status:
        case Status.AWAITED:
            parts = ["waiting for upstream to register the batch", _parked(overview), _redis(overview)]
        case Status.OPEN:
            waiting = f"waiting for {_missing(overview)}"
            left = _time_left(overview)
            parts = [waiting, _failed(batch.failed_count), left, _undecidable(overview), _redis(overview)]
        case Status.READY:
            assigned = f"ready: {batch.assigned_count} of {batch.expected_count} assigned"
            parts = [assigned, _failed(batch.failed_count), _announced(overview)]
        case Status.FAILED:
            parts = [f"failed: none of {_files(batch.expected_count)} could be used", _announced(overview)]
        case Status.TIMED_OUT:
            missing = f"timed out with {_missing(overview)} missing"
            parts = [missing, _failed(batch.failed_count), _announced(overview)]
        case Status.CANCELLED:
            parts = [_cancelled(batch), _failed(batch.failed_count), _announced(overview)]
        case _:
            assert_never(batch.status)
    return "; ".join(part for part in parts if part)


def _cancelled(batch: Batch) -> str:
    if not batch.is_registered:
        return "cancelled before it was registered"
    return f"cancelled with {batch.assigned_count} of {batch.expected_count} assigned"


def _missing(overview: BatchOverview) -> str:
    batch = overview.batch
    count = batch.expected_count - batch.assigned_count - batch.failed_count
    more = count - len(overview.missing)
    names = ", ".join(overview.missing) + (f" and {more} more" if more > 0 else "")
    return f"{count} of {batch.expected_count}: {names}"


def _failed(count: int) -> str:
    return f"{_files(count)} failed" if count else ""


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _parked(overview: BatchOverview) -> str:
    if not overview.parked_count or overview.parked_since is None:
        return "nothing has arrived for it"
    arrivals = "1 arrival is" if overview.parked_count == 1 else f"{overview.parked_count} arrivals are"
    return f"{arrivals} parked, the oldest for {_duration(overview.now - overview.parked_since)}"


def _undecidable(overview: BatchOverview) -> str:
    if not overview.parked_count:
        return ""
    arrivals = (
        "1 parked arrival" if overview.parked_count == 1 else f"{overview.parked_count} parked arrivals"
    )
    return f"{arrivals} could not be decided: operators must check the stored data"


def _redis(overview: BatchOverview) -> str:
    """Say that it may be the operators' move: without Redis arrivals wait in the queues."""
    answered = overview.redis_answered
    if answered is None or overview.now - answered <= MISSED:
        return ""
    ago = f"Redis last answered the health check {_duration(overview.now - answered)} ago"
    return f"{ago}, so arrivals may wait in the queues: operators must look"


def _time_left(overview: BatchOverview) -> str:
    deadline = overview.batch.deadline
    if deadline is None:
        return ""
    if deadline > overview.now:
        return f"{_duration(deadline - overview.now)} left"
    passed = f"its deadline passed {_duration(overview.now - deadline)} ago"
    return f"{passed}; {_job('the sweep, which closes it,', deadline, overview.last_sweep, overview.now)}"


def _announced(overview: BatchOverview) -> str:
    announcement = overview.announcement
    if announcement is None:
        return (
            "closed by an older version of the service, which did not record whether its result was announced"
        )
    first, waits = announcement.first_sent_at, announcement.unsent_since
    if waits is None:
        when = f"{_duration(overview.now - first)} ago" if first else "at a time that was not recorded"
        return f"announced {when}"
    known = (
        f"announced {_duration(overview.now - first)} ago, and to be announced again"
        if first
        else "not announced yet"
    )
    waiting = f"{known}: its event waits for {_duration(overview.now - waits)}"
    return f"{waiting}; {_job('the relay, which sends it,', waits, overview.last_relay, overview.now)}"


def _job(name: str, due: datetime, last_run: datetime | None, now: datetime) -> str:
    """Say when a job last ran, and that operators must act if it should have done its work by then."""
    if last_run is None:
        return f"{name} has never run: operators must check its schedule"
    ago = f"{name} last ran {_duration(now - last_run)} ago"
    if now - last_run > MISSED:
        return f"{ago}: operators must check its schedule"
    return f"{ago} and has left it: operators must look at its faults" if last_run - due > MISSED else ago


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"
