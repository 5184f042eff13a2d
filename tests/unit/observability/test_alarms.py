"""Every alarm is provoked by the fault that it stands for, with the metrics that the code itself writes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind

from dev.deploy.template import Template
from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.application.check_health import CheckHealth
from els_core.application.message_consumer import ConsumeResult
from els_core.application.metrics import Metric
from els_core.application.ports.health import QueueDepth
from els_core.application.provision_content import ProvisioningResult
from els_core.domain.arrivals import Arrival
from els_core.domain.errors import ExternalServiceError
from tests.architecture.documents import tables
from tests.architecture.test_docs_operations import OPERATIONS
from tests.factories import content, registration
from tests.fakes.health import FakeHealthReader, FakeQueueReader
from tests.integration.lambda_functions import Context
from tests.telemetry_output import captured_log
from tests.unit.application.in_memory import InMemoryEnvironment
from tests.unit.observability.alarms import ALARMS, NAMES, PARKING_SECONDS, TEMPLATE, fires, points_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.observability.alarms import Points

QUEUES = ("register_batch", "steer_batch", "provision_content")
HOUR = timedelta(hours=1)


class System:
    """The service on fakes, in which a test breaks something and runs what each minute runs."""

    def __init__(self) -> None:
        self.environment = InMemoryEnvironment()
        self.postgres = FakeHealthReader(self.environment.postgres)
        self.queues = FakeQueueReader(depths(0))
        self.telemetry = Telemetry()
        self.runs_jobs = True
        self.checks_health = True

    def minute(self) -> None:
        """Run what the schedules run in a minute."""
        self.environment.clock.advance(timedelta(minutes=1))
        context: Any = Context()
        self.telemetry.instrumented("each minute", SpanKind.INTERNAL)(self._minute)({}, context)

    def _minute(self, _event: dict[str, Any], _context: Any) -> None:
        if self.runs_jobs:
            self.telemetry.sweep_finished(self.environment.expire())
            self.telemetry.outbox_published(self.environment.relay())
        if self.checks_health:
            redis, bus = self.environment.redis, self.environment.bus
            note_run = self.environment.postgres.note_run
            check = CheckHealth(self.postgres, redis, bus, self.queues, note_run)
            self.telemetry.health_checked(check.run())

    def lose_races(self) -> None:
        """Decide arrivals for all of which Postgres gave another slot than Redis proposed."""
        result = ConsumeResult[Arrival, ProvisioningResult]()
        result.reports.append(([], ProvisioningResult([], [], [], races_lost=60)))
        self.telemetry.arrivals_consumed(result)


def depths(dead: int) -> list[QueueDepth]:
    return [QueueDepth(name, dead, 0, is_dead) for name in QUEUES for is_dead in (False, True)]


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    with captured_log():
        yield


def minutes(
    system: System, count: int, capsys: pytest.CaptureFixture[str], also: Callable[[System], object]
) -> list[Points]:
    """Return the points of some minutes."""
    periods: list[Points] = []
    for _ in range(count):
        capsys.readouterr()
        also(system)
        system.minute()
        periods.append(points_of(capsys.readouterr().out))
    return periods


def nothing(_system: System) -> None:
    """Let the system run."""


def silence(system: System) -> None:
    system.checks_health = False


def stop_postgres(system: System) -> None:
    system.postgres.is_down = True


def stop_redis(system: System) -> None:
    system.environment.redis.is_down = True


def delete_the_bus(system: System) -> None:
    system.environment.bus.is_there = False


def stop_sqs(system: System) -> None:
    system.queues.is_down = True


def stop_the_bus_before_a_result(system: System) -> None:
    system.environment.bus.is_down = True
    system.environment.register(registration(1))
    system.environment.provision(content("a"))
    system.environment.clock.advance(HOUR)


def stop_the_jobs(system: System) -> None:
    system.environment.expire()
    system.environment.relay()
    system.environment.register(registration(1, timeout_seconds=1))
    system.environment.clock.advance(HOUR)
    system.runs_jobs = False


def never_register(system: System) -> None:
    system.environment.provision(content("early"))
    system.environment.clock.advance(timedelta(seconds=PARKING_SECONDS))


def add_dead_letters(system: System) -> None:
    system.queues.queues = depths(1)


def add_an_unknown_event(system: System) -> None:
    system.queues.queues = [*depths(0), QueueDepth("unknown_events", 1, 0, is_dead_letter_queue=True)]


def fail(system: System) -> None:
    system.telemetry.fault(ExternalServiceError("try", service="Redis"))


# What provokes an alarm: once before the minutes, and in each of them.
PROVOKED: dict[str, tuple[Callable[[System], None], Callable[[System], None]]] = {
    "HealthCheckSilent": (silence, nothing),
    "PostgresDown": (stop_postgres, nothing),
    "RedisDown": (stop_redis, nothing),
    "EventBusMissing": (delete_the_bus, nothing),
    "QueuesUnreadable": (stop_sqs, nothing),
    "ResultNotSent": (stop_the_bus_before_a_result, nothing),
    "LateBatchOpen": (stop_the_jobs, nothing),
    "StuckBatch": (stop_the_jobs, nothing),
    "SweepSilent": (stop_the_jobs, nothing),
    "RelaySilent": (stop_the_jobs, nothing),
    "ParkedTooLong": (never_register, nothing),
    "RegisterBatchDeadLetters": (add_dead_letters, nothing),
    "SteerBatchDeadLetters": (add_dead_letters, nothing),
    "ProvisionContentDeadLetters": (add_dead_letters, nothing),
    "UnknownEvents": (add_an_unknown_event, nothing),
    "FaultsPersist": (nothing, fail),
    "RacesLost": (nothing, System.lose_races),
}
# Alarms on metrics that AWS writes itself: a value that is fine, and one that is not.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
WRITTEN_BY_AWS = {
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): (60, 1_000),
    ("AWS/Lambda", "Throttles"): (0, 1),
    ("AWS/Lambda", "Duration"): (2_000, 29_000),
}


@pytest.mark.parametrize("name", PROVOKED)
def test_an_alarm_fires_when_its_fault_happens_and_not_in_a_healthy_system(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alarm = ALARMS[name]
    before, each = PROVOKED[name]
    healthy = minutes(System(), alarm["EvaluationPeriods"], capsys, nothing)
    assert not fires(alarm, healthy)
    system = System()
    before(system)
    broken = minutes(system, alarm["EvaluationPeriods"], capsys, each)
    assert fires(alarm, broken)
    assert alarm["EvaluationPeriods"] == 1 or not fires(alarm, [*healthy, broken[0]])


@pytest.mark.parametrize("name", sorted(ALARMS.keys() - PROVOKED.keys()))
def test_an_alarm_on_a_metric_of_aws_fires_beyond_its_threshold(name: str) -> None:
    alarm = ALARMS[name]
    [dimension] = alarm["Dimensions"]
    assert dimension["Value"] in NAMES
    key = (alarm["MetricName"], frozenset({(dimension["Name"], dimension["Value"])}))
    fine, wrong = WRITTEN_BY_AWS[alarm["Namespace"], alarm["MetricName"]]
    assert not fires(alarm, [{key: [fine]}] * alarm["EvaluationPeriods"])
    assert fires(alarm, [{key: [wrong]}] * alarm["EvaluationPeriods"])


def test_our_alarms_watch_metrics_that_the_code_writes() -> None:
    ours = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Namespace"] == "EssayLifecycle"}
    assert ours <= {metric.metric_name for metric in Metric}


def test_every_queue_and_every_function_that_events_or_the_clock_start_has_its_alarms() -> None:
    template = Template.read()
    queues = {each.name.removesuffix("Queue") for each in template.source_queues()}
    scheduled = {each.removesuffix("Function") for each in template.scheduled("rate(1 minute)")}
    wanted = {f"{name}{kind}" for name in queues for kind in ("DeadLetters", "QueueOld")}
    # The health check's own silence is an alarm.
    running = queues | (scheduled - {"CheckHealth"})
    wanted |= {f"{name}{kind}" for name in running for kind in ("Throttled", "NearTimeout")}
    assert wanted <= set(ALARMS)


def test_users_are_hurt_when_one_of_these_alarms_fires() -> None:
    rule = TEMPLATE.document["Resources"]["UsersAreHurt"]["Properties"]["AlarmRule"]["Fn::Sub"]
    named = re.findall(r'ALARM\("\$\{(\w+)\}"\)', rule)
    assert rule.split(" OR ") == [f'ALARM("${{{name}}}")' for name in named]
    assert set(named) <= set(ALARMS)


def test_every_alarm_notifies_the_topic_when_it_begins_and_when_it_ends() -> None:
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    found = [one for one in TEMPLATE.document["Resources"].values() if one["Type"] in kinds]
    assert len(found) == len(ALARMS) + 1
    for resource in found:
        actions = [resource["Properties"][kind] for kind in ("AlarmActions", "OKActions")]
        assert actions == [[{"Ref": "Alarms"}]] * 2


def names_of(cell: str) -> list[str]:
    return cell.replace("`", "").split(", ")


def test_the_runbook_has_a_line_for_every_alarm() -> None:
    table = tables(OPERATIONS.text)["alarm"]
    rows = {name: row for cell, *row in table for name in names_of(cell)}
    assert set(rows) == {*ALARMS, "UsersAreHurt"}
    assert all(meaning and action for meaning, action in rows.values())
