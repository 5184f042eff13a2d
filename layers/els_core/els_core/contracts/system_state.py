"""From a health check to what the HTTP API says of the whole system."""

from collections.abc import Sequence

from els_core.application.check_health import HealthReport
from els_core.application.concerns import Concern
from els_core.application.ports.health import Backlog
from els_core.contracts import system_answers
from els_core.contracts.system_answers import BacklogState, JobState, QueueState, StoreState, SystemAnswer


def system_answer(report: HealthReport, concerns: Sequence[Concern]) -> SystemAnswer:
    """Return the answer; what nobody could tell is null."""
    backlog = report.backlog
    return SystemAnswer(
        is_well=not concerns,
        concerns=[
            system_answers.Concern(severity=one.severity, subject=one.subject, sentence=one.sentence)
            for one in concerns
        ],
        stores=[
            StoreState(name="Postgres", is_up=backlog is not None),
            StoreState(name="Redis", is_up=report.is_redis_up),
            StoreState(name="event bus", is_up=report.is_event_bus_up),
            StoreState(name="SQS", is_up=report.queues is not None),
        ],
        backlog=_backlog(backlog) if backlog else None,
        queues=None
        if report.queues is None
        else [
            QueueState(
                name=queue.name,
                waiting=queue.waiting,
                in_flight=queue.in_flight,
                is_dead_letter_queue=queue.is_dead_letter_queue,
            )
            for queue in report.queues
        ],
        jobs=_jobs(backlog) if backlog else [],
    )


def _backlog(backlog: Backlog) -> BacklogState:
    return BacklogState(
        open_batches=backlog.open_batches,
        late_batches=backlog.late_batches,
        stuck_batches=backlog.stuck_batches,
        parked_arrivals=backlog.parked_arrivals,
        oldest_parked_seconds=int(backlog.oldest_parked_seconds),
        outbox_events=backlog.outbox_events,
        oldest_outbox_event_seconds=int(backlog.oldest_outbox_seconds),
        unsent_results=backlog.unsent_results,
    )


def _jobs(backlog: Backlog) -> list[JobState]:
    ages = (("sweep", backlog.sweep_age_seconds), ("relay", backlog.relay_age_seconds))
    return [JobState(name=name, seconds_since=None if age is None else int(age)) for name, age in ages]
