"""The health check asks everything once; what does not answer is a finding, and the rest is asked too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.application.check_health import CheckHealth, HealthReport
from els_core.application.gauges import gauges_of
from els_core.application.metrics import Metric
from els_core.application.ports.health import QueueDepth
from els_core.domain.errors import FaultError
from tests.factories import content
from tests.fakes.health import FakeHealthReader, FakeQueueReader
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUES = [QueueDepth("register_batch", 3, 2, False), QueueDepth("register_batch", 4, 1, True)]  # noqa: FBT003
UP = {Metric.POSTGRES_UP, Metric.REDIS_UP, Metric.EVENT_BUS_UP, Metric.SQS_UP}


class System:
    """A health check, and all that it asks."""

    def __init__(self) -> None:
        self.environment = InMemoryEnvironment()
        self.postgres = FakeHealthReader(self.environment.postgres)
        self.queues = FakeQueueReader(list(QUEUES))
        self.check = CheckHealth(self.postgres, self.environment.redis, self.environment.bus, self.queues)


def values(report: HealthReport) -> dict[Metric, float]:
    return {gauge.metric: gauge.value for gauge in gauges_of(report)}


def test_a_healthy_system_has_every_gauge_and_no_fault() -> None:
    system = System()
    system.environment.provision(content("a"))
    system.environment.expire()
    system.environment.relay()
    report = system.check.run()
    found = values(report)
    assert report.faults == []
    assert {metric for metric, value in found.items() if metric in UP and value == 1} == UP
    assert (found[Metric.HEALTH_CHECKS], found[Metric.PARKED_ARRIVALS]) == (1, 1)
    assert {Metric.SWEEP_AGE, Metric.RELAY_AGE} <= set(found)


def postgres_down(system: System) -> None:
    system.postgres.is_down = True


def redis_down(system: System) -> None:
    system.environment.redis.is_down = True


def bus_missing(system: System) -> None:
    system.environment.bus.is_there = False


def sqs_down(system: System) -> None:
    system.queues.is_down = True


BREAKING: dict[Metric, tuple[Callable[[System], None], str]] = {
    Metric.POSTGRES_UP: (postgres_down, "EXTERNAL_SERVICE_UNAVAILABLE"),
    Metric.REDIS_UP: (redis_down, "EXTERNAL_SERVICE_UNAVAILABLE"),
    Metric.EVENT_BUS_UP: (bus_missing, "EVENT_BUS_MISSING"),
    Metric.SQS_UP: (sqs_down, "EXTERNAL_SERVICE_UNAVAILABLE"),
}


@pytest.mark.parametrize("metric", BREAKING)
def test_a_store_that_is_down_has_a_gauge_of_0_and_the_others_are_still_checked(metric: Metric) -> None:
    system = System()
    break_it, code = BREAKING[metric]
    break_it(system)
    report = system.check.run()
    assert {one for one, value in values(report).items() if one in UP and value == 0} == {metric}
    [fault] = report.faults
    assert isinstance(fault, FaultError)
    assert fault.error_code == code


def test_an_unexpected_error_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode() -> None:
        raise ZeroDivisionError

    system = System()
    monkeypatch.setattr(system.environment.redis, "ping", explode)
    report = system.check.run()
    assert values(report)[Metric.REDIS_UP] == 0
    assert [type(fault) for fault in report.faults] == [ZeroDivisionError]
