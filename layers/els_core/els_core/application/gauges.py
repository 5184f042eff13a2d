"""The gauges of a health check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.application.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.application.check_health import HealthReport
    from els_core.application.ports.health import Backlog, QueueDepth


@dataclass(frozen=True, slots=True)
class Gauge:
    """The value of a metric now; `queue` is its dimension where it has one."""

    metric: Metric
    value: float
    queue: str | None = None


def gauges_of(report: HealthReport) -> Iterator[Gauge]:
    """Yield every gauge of a health check; a figure that could not be read has none."""
    yield Gauge(Metric.HEALTH_CHECKS, 1)
    yield Gauge(Metric.POSTGRES_UP, report.backlog is not None)
    yield Gauge(Metric.REDIS_UP, report.is_redis_up)
    yield Gauge(Metric.EVENT_BUS_UP, report.is_event_bus_up)
    yield Gauge(Metric.SQS_UP, report.queues is not None)
    if report.backlog is not None:
        yield from _backlog_gauges(report.backlog)
    for queue in report.queues or ():
        yield from _queue_gauges(queue)


def _backlog_gauges(backlog: Backlog) -> Iterator[Gauge]:
    yield Gauge(Metric.OPEN_BATCHES, backlog.open_batches)
    yield Gauge(Metric.LATE_BATCHES, backlog.late_batches)
    yield Gauge(Metric.STUCK_BATCHES, backlog.stuck_batches)
    yield Gauge(Metric.OLDEST_OPEN_BATCH, backlog.oldest_open_seconds)
    yield Gauge(Metric.PARKED_ARRIVALS, backlog.parked_arrivals)
    yield Gauge(Metric.OLDEST_PARKED_ARRIVAL, backlog.oldest_parked_seconds)
    yield Gauge(Metric.OUTBOX_EVENTS, backlog.outbox_events)
    yield Gauge(Metric.OLDEST_OUTBOX_EVENT, backlog.oldest_outbox_seconds)
    yield Gauge(Metric.UNSENT_RESULTS, backlog.unsent_results)
    yield Gauge(Metric.OLDEST_UNSENT_RESULT, backlog.oldest_unsent_result_seconds)
    if backlog.sweep_age_seconds is not None:
        yield Gauge(Metric.SWEEP_AGE, backlog.sweep_age_seconds)
    if backlog.relay_age_seconds is not None:
        yield Gauge(Metric.RELAY_AGE, backlog.relay_age_seconds)


def _queue_gauges(queue: QueueDepth) -> Iterator[Gauge]:
    if queue.is_dead_letter_queue:
        yield Gauge(Metric.DEAD_LETTERS, queue.waiting + queue.in_flight, queue.name)
    else:
        yield Gauge(Metric.MESSAGES_WAITING, queue.waiting, queue.name)
        yield Gauge(Metric.MESSAGES_IN_FLIGHT, queue.in_flight, queue.name)
