"""What is wrong with the whole system, the worst first, each in a sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from els_core.application.check_health import STUCK_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.application.check_health import HealthReport
    from els_core.application.ports.health import Backlog


NOTHING_IS_DECIDED = "nothing is decided, and messages wait in the queues"


class Severity(StrEnum):
    """How bad a concern is: an error stops something, a warning will."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that is wrong; `subject` names the store, the queue or the job."""

    severity: Severity
    subject: str
    sentence: str


def concerns_of(report: HealthReport) -> list[Concern]:
    """Return everything that a health check found wrong, errors first."""
    found = [*_stores(report), *_backlog(report), *_dead_letters(report)]
    return sorted(found, key=lambda concern: concern.severity is Severity.WARNING)


def _stores(report: HealthReport) -> Iterator[Concern]:
    if report.backlog is None:
        yield _error("Postgres", f"Postgres does not answer: {NOTHING_IS_DECIDED}")
    if not report.is_redis_up:
        yield _error("Redis", f"Redis does not answer: {NOTHING_IS_DECIDED}")
    if not report.is_event_bus_up:
        yield _error("event bus", "the outbound bus does not answer or exist: results wait in the outbox")
    if report.queues is None:
        yield _warning("SQS", "the queues cannot be read: how much waits in them is not known")


def _backlog(report: HealthReport) -> Iterator[Concern]:
    if report.backlog is None:
        return
    backlog = report.backlog
    yield from _job("sweep", "no deadline has its effect", backlog.sweep_age_seconds)
    yield from _job("relay", "what could not be sent at once is not sent", backlog.relay_age_seconds)
    if backlog.stuck_batches:
        count = backlog.stuck_batches
        stuck = "1 batch waits" if count == 1 else f"{count} batches wait"
        yield _error("batches", f"{stuck} for the service itself: look at GET /batches?stuck=true")
    yield from _unsent(backlog)


def _unsent(backlog: Backlog) -> Iterator[Concern]:
    if backlog.oldest_outbox_seconds > STUCK_AFTER.total_seconds():
        count = backlog.outbox_events
        events = "1 event waits" if count == 1 else f"{count} events wait"
        yield _warning("outbox", f"{events} to be sent: look whether the bus takes them")


def _job(name: str, effect: str, age_seconds: float | None) -> Iterator[Concern]:
    if age_seconds is None:
        yield _error(name, f"the {name} has never run, so {effect}: check its schedule")
    elif age_seconds > STUCK_AFTER.total_seconds():
        yield _error(name, f"the {name} has not run for three minutes, so {effect}: check its schedule")


def _dead_letters(report: HealthReport) -> Iterator[Concern]:
    for queue in report.queues or ():
        count = queue.waiting + queue.in_flight
        if queue.is_dead_letter_queue and count:
            letters = "1 dead letter" if count == 1 else f"{count} dead letters"
            yield _warning(queue.name, f"{letters}: look at GET /dead-letters, then redrive or drop them")


def _error(subject: str, sentence: str) -> Concern:
    return Concern(Severity.ERROR, subject, sentence)


def _warning(subject: str, sentence: str) -> Concern:
    return Concern(Severity.WARNING, subject, sentence)
