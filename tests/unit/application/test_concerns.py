"""What a health check finds wrong, one row each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from els_core.application.check_health import HealthReport
from els_core.application.concerns import Severity, concerns_of
from els_core.application.ports.health import Backlog, QueueDepth

BACKLOG = Backlog(1, 0, 0, 60, 0, 0, 0, 0, 0, 0, 20, 20)
SOURCE = QueueDepth("source", 5, 1, is_dead_letter_queue=False)
WELL = HealthReport(BACKLOG, [SOURCE], is_redis_up=True, is_event_bus_up=True)
DEAD = QueueDepth("source", 1, 1, is_dead_letter_queue=True)

CONCERNS = {
    "all is well": (WELL, []),
    "Postgres": (replace(WELL, backlog=None), [(Severity.ERROR, "Postgres")]),
    "Redis": (replace(WELL, is_redis_up=False), [(Severity.ERROR, "Redis")]),
    "bus": (replace(WELL, is_event_bus_up=False), [(Severity.ERROR, "event bus")]),
    "SQS": (replace(WELL, queues=None), [(Severity.WARNING, "SQS")]),
    "stuck": (replace(WELL, backlog=replace(BACKLOG, stuck_batches=2)), [(Severity.ERROR, "batches")]),
    "sweep": (replace(WELL, backlog=replace(BACKLOG, sweep_age_seconds=181)), [(Severity.ERROR, "sweep")]),
    "relay": (replace(WELL, backlog=replace(BACKLOG, relay_age_seconds=None)), [(Severity.ERROR, "relay")]),
    "outbox": (
        replace(WELL, backlog=replace(BACKLOG, outbox_events=1, oldest_outbox_seconds=181)),
        [(Severity.WARNING, "outbox")],
    ),
    "dead letters": (replace(WELL, queues=[DEAD]), [(Severity.WARNING, "source")]),
    "the worst first": (
        replace(WELL, queues=[DEAD], backlog=replace(BACKLOG, stuck_batches=1)),
        [(Severity.ERROR, "batches"), (Severity.WARNING, "source")],
    ),
}


@pytest.mark.parametrize("name", CONCERNS)
def test_what_is_wrong_is_said_with_what_to_do(name: str) -> None:
    report, expected = CONCERNS[name]
    found = concerns_of(report)
    assert [(one.severity, one.subject) for one in found] == expected
    assert all(":" in one.sentence for one in found)
