"""What the HTTP API says of the whole system, and what it cannot say."""

from __future__ import annotations

from els_core.application.check_health import HealthReport
from els_core.application.concerns import Concern, Severity
from els_core.application.ports.health import Backlog, QueueDepth
from els_core.contracts.system_state import system_answer

CONCERN = Concern(Severity.ERROR, "Redis", "Redis does not answer: look at it")
QUEUE = QueueDepth("source", 1, 2, is_dead_letter_queue=True)


def test_a_system_that_answers_is_told_whole() -> None:
    report = HealthReport(Backlog(*range(1, 13)), [QUEUE], is_redis_up=True, is_event_bus_up=True)
    told = system_answer(report, [])
    assert told.is_well
    assert all(store.is_up for store in told.stores)
    assert told.backlog is not None
    assert (told.backlog.open_batches, told.backlog.stuck_batches, told.backlog.unsent_results) == (1, 3, 9)
    assert [(job.name, job.seconds_since) for job in told.jobs] == [("sweep", 11), ("relay", 12)]
    assert told.queues is not None
    assert told.queues[0].model_dump() == {
        "name": "source",
        "waiting": 1,
        "in_flight": 2,
        "is_dead_letter_queue": True,
    }


def test_what_does_not_answer_is_null_and_not_well() -> None:
    told = system_answer(HealthReport(), [CONCERN])
    assert (told.is_well, told.backlog, told.queues, told.jobs) == (False, None, None, [])
    assert not any(store.is_up for store in told.stores)
    assert told.concerns[0].sentence == CONCERN.sentence
