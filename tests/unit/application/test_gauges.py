"""The gauges of a health check: a figure that could not be read has none."""

from __future__ import annotations

from dataclasses import replace

from els_core.application.check_health import HealthReport
from els_core.application.gauges import Gauge, gauges_of
from els_core.application.metrics import Metric
from els_core.application.ports.health import Backlog, QueueDepth

BACKLOG = Backlog(*range(1, 13))


def metrics_of(report: HealthReport) -> set[Metric]:
    return {gauge.metric for gauge in gauges_of(report)}


def test_queues_have_gauges_of_their_own_and_dead_letters_count_those_in_flight_too() -> None:
    queues = [
        QueueDepth("register_batch", 3, 2, is_dead_letter_queue=False),
        QueueDepth("register_batch", 4, 1, is_dead_letter_queue=True),
    ]
    assert [gauge for gauge in gauges_of(HealthReport(queues=queues)) if gauge.queue] == [
        Gauge(Metric.MESSAGES_WAITING, 3, "register_batch"),
        Gauge(Metric.MESSAGES_IN_FLIGHT, 2, "register_batch"),
        Gauge(Metric.DEAD_LETTERS, 5, "register_batch"),
    ]


def test_a_job_that_never_ran_has_no_age() -> None:
    never = replace(BACKLOG, sweep_age_seconds=None, relay_age_seconds=None)
    missing = metrics_of(HealthReport(BACKLOG)) - metrics_of(HealthReport(never))
    assert missing == {Metric.SWEEP_AGE, Metric.RELAY_AGE}


def test_without_an_answer_there_is_only_the_gauge_of_0() -> None:
    found = {gauge.metric: gauge.value for gauge in gauges_of(HealthReport())}
    up = {Metric.POSTGRES_UP, Metric.REDIS_UP, Metric.EVENT_BUS_UP, Metric.SQS_UP}
    assert found == {Metric.HEALTH_CHECKS: 1} | dict.fromkeys(up, 0)
