"""One sentence about a batch that says whose move it is. It holds moments: time alone does not change it.

It says only what is known: a job that should act is blamed when it has not run for too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from els_core.domain.batches import Status

if TYPE_CHECKING:
    from datetime import datetime

    from els_core.application.ports.reading import Announcement, BatchOverview

STUCK_AFTER = timedelta(minutes=3)  # the sweep and the relay run each minute


class Mover(StrEnum):
    """Whose move it is: who must act before anything more happens."""

    UPSTREAM = "upstream"
    ELS = "els"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class Move:
    """Whose move it is, in a sentence. `is_stuck`: for three minutes it has been the service's own."""

    mover: Mover
    sentence: str
    is_stuck: bool = False


def describe(overview: BatchOverview) -> Move:
    """Return whose move it is.

    Such as "upstream must send 3 of 25 until 2026-01-31 13:00 UTC: a, b, c; 2 files failed".
    """
    batch, waiting = overview.batch, list[str]()
    match batch.status:
        case Status.AWAITED:
            mover, parts = Mover.UPSTREAM, ["upstream must register the batch", _parked(overview)]
            waiting = _silent_redis(overview)
        case Status.OPEN:
            mover, parts = _open(overview)
        case Status.READY | Status.FAILED | Status.TIMED_OUT | Status.CANCELLED:
            mover, announced = _announced(overview)
            parts = [_ended(overview), announced, _excess(overview)]
        case _:
            assert_never(batch.status)
    waiting += [*_undecided(overview), *_unsent(overview)]
    mover = Mover.ELS if waiting else mover
    return Move(mover, "; ".join(part for part in [*parts, *waiting] if part), _is_stuck(overview))


def _is_stuck(overview: BatchOverview) -> bool:
    before = overview.now - STUCK_AFTER
    batch = overview.batch
    deadline = batch.deadline
    is_overdue = batch.status is Status.OPEN and deadline is not None and deadline < before
    is_unsent = overview.unsent_since is not None and overview.unsent_since < before
    is_undecided = bool(_undecided(overview)) and overview.times.changed_at < before
    return is_overdue or is_unsent or is_undecided


def _open(overview: BatchOverview) -> tuple[Mover, list[str]]:
    batch = overview.batch
    failed = _failed(batch.failed_count)
    if batch.deadline is not None and batch.deadline <= overview.now:
        overdue = f"the service must close the batch, whose deadline was {_at(batch.deadline)}"
        late = _late("the sweep, which closes it,", batch.deadline, overview.last_sweep, overview.now)
        return Mover.ELS, [overdue, f"{_missing(overview)} are missing{_names(overview)}", failed, late]
    until = f" until {_at(batch.deadline)}" if batch.deadline is not None else ""
    if silent := _silent_redis(overview):
        return Mover.ELS, [*silent, f"{_missing(overview)} are missing{until}{_names(overview)}", failed]
    return Mover.UPSTREAM, [f"upstream must send {_missing(overview)}{until}{_names(overview)}", failed]


def _ended(overview: BatchOverview) -> str:
    batch = overview.batch
    failed = f"; {_failed(batch.failed_count)}" if batch.failed_count else ""
    if batch.status is Status.READY:
        return f"ready: {batch.assigned_count} of {batch.expected_count} assigned{failed}"
    if batch.status is Status.FAILED:
        return f"failed: none of {_files(batch.expected_count)} could be used"
    word = "cancelled" if batch.status is Status.CANCELLED else "timed out"
    if not batch.is_registered:
        return f"{word} before it was registered"
    return f"{word} with {_missing(overview)} missing{_names(overview)}{failed}"


def _announced(overview: BatchOverview) -> tuple[Mover, str]:
    found = overview.announcement
    if found is None:
        known = "which did not record whether its result was announced"
        return Mover.CONSUMER, f"closed by an older version of the service, {known}"
    if found.unsent_since is None:
        return Mover.CONSUMER, f"announced{_since(found)}: it is the consumer's move"
    again = f"announced{_since(found)}, and to be announced again"
    first = "not announced yet"
    waits = f"{again if found.first_sent_at else first}: its event waits since {_at(found.unsent_since)}"
    late = _late("the relay, which sends it,", found.unsent_since, overview.last_relay, overview.now)
    return Mover.ELS, f"{waits}; {late}" if late else waits


def _since(announcement: Announcement) -> str:
    first = announcement.first_sent_at
    return f" at {_at(first)}" if first else " at a time that was not recorded"


def _excess(overview: BatchOverview) -> str:
    counts = overview.counts
    if not counts.excess:
        return ""
    found = f"{_contents(counts.excess)} found no slot"
    return f"{found}, of which re-opening can take in {counts.taken_in}" if counts.taken_in else found


def _undecided(overview: BatchOverview) -> list[str]:
    """Return what is parked beside a batch that is not awaited: it could not be decided."""
    if overview.batch.status is Status.AWAITED or not overview.counts.parked:
        return []
    count = overview.counts.parked
    arrivals = "1 parked arrival" if count == 1 else f"{count} parked arrivals"
    return [f"{arrivals} could not be decided: operators must check the stored data"]


def _unsent(overview: BatchOverview) -> list[str]:
    """Return that another event than the final result has been waiting for too long."""
    since, found = overview.unsent_since, overview.announcement
    is_told = found is not None and found.unsent_since is not None
    if since is None or is_told or since >= overview.now - STUCK_AFTER:
        return []
    late = _late("the relay, which sends it,", since, overview.last_relay, overview.now)
    waits = f"an event about the batch waits since {_at(since)} to be sent"
    return [f"{waits}; {late}" if late else waits]


def _silent_redis(overview: BatchOverview) -> list[str]:
    """Return that Redis has not answered the health check for too long: without it nothing is decided."""
    answered = overview.redis_answered
    if answered is None or overview.now - answered <= STUCK_AFTER:
        return []
    silent = f"Redis has not answered since {_at(answered)}"
    return [f"{silent}, so arrivals wait in the queues until it does: operators must look at it"]


def _parked(overview: BatchOverview) -> str:
    if not overview.counts.parked or overview.parked_since is None:
        return "nothing has arrived for it"
    count = overview.counts.parked
    arrivals = "1 arrival is" if count == 1 else f"{count} arrivals are"
    return f"{arrivals} parked, the oldest since {_at(overview.parked_since)}"


def _missing(overview: BatchOverview) -> str:
    batch = overview.batch
    return f"{batch.expected_count - batch.assigned_count - batch.failed_count} of {batch.expected_count}"


def _names(overview: BatchOverview) -> str:
    batch = overview.batch
    more = batch.expected_count - batch.assigned_count - batch.failed_count - len(overview.missing)
    names = ", ".join(overview.missing)
    if not names:
        return ""
    return f": {names} and {more} more" if more > 0 else f": {names}"


def _failed(count: int) -> str:
    return f"{_files(count)} failed" if count else ""


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _contents(count: int) -> str:
    return "1 content" if count == 1 else f"{count} contents"


def _late(name: str, due: datetime, last_run: datetime | None, now: datetime) -> str:
    """Say that a job has not run for too long, or has left its work; nothing while it may do it."""
    if last_run is None:
        return f"{name} has never run: operators must check its schedule"
    if now - last_run > STUCK_AFTER:
        return f"{name} last ran at {_at(last_run)}: operators must check its schedule"
    return f"{name} has left it: operators must look at its faults" if last_run - due > STUCK_AFTER else ""


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
