"""Every result has its word and its metric, and every metric is emitted by some result."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.embedded_metrics import (
    MAX_METRICS,
    MAX_VALUES,
    MILLISECOND,
    EmbeddedMetrics,
)
from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.store_calls import postgres_calls, redis_calls
from els_core.application.gauges import Gauge
from els_core.application.metrics import Metric
from els_core.domain.batches import Status
from tests.architecture.project import CORE, parse, python_files
from tests.integration.lambda_functions import Context
from tests.telemetry_output import captured_log, metrics_of
from tests.unit.adapters.telemetry.results import (
    arrivals_consumed,
    audit_report,
    commands_consumed,
    description,
    health_report,
    migrate_and_fail,
    registrations_consumed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO
    from pathlib import Path


@dataclass(frozen=True)
class OtherMetric:
    metric_name: str
    unit: str = "Count"


@pytest.fixture
def log() -> Iterator[StringIO]:
    with captured_log() as log:
        yield log


def run_everything(telemetry: Telemetry) -> None:
    telemetry.arrivals_consumed(arrivals_consumed())
    telemetry.registrations_consumed(registrations_consumed())
    telemetry.commands_consumed(commands_consumed())
    telemetry.audit_finished(audit_report())
    telemetry.health_checked(health_report())

    @telemetry.instrumented("audit_batches", SpanKind.INTERNAL)
    def wait_for_stores(_event: dict[str, Any], _context: Any) -> None:
        for calls in (redis_calls, postgres_calls):
            with calls("operation"):
                pass

    context: Any = Context()
    wait_for_stores({}, context)
    telemetry.status_read("b", description(Status.READY))
    telemetry.status_read("b", None)
    telemetry.migration(lambda: "0001")()
    with pytest.raises(ConnectionError):
        telemetry.migration(migrate_and_fail)()
    telemetry.metrics.flush()


def test_every_metric_is_emitted_and_no_other(log: StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = Telemetry()
    run_everything(telemetry)
    emitted = metrics_of(capsys.readouterr().out)
    assert set(emitted) == {metric.metric_name for metric in Metric}
    assert [name for name, count in emitted.items() if count == 0] == []
    assert log.getvalue()


def test_no_other_file_names_a_metric_or_adds_one() -> None:
    names = {metric.metric_name for metric in Metric}
    product = python_files("layers", "functions", "migrations", "dev", "benchmarks")
    others = [path for path in product if path != CORE / "application" / "metrics.py"]
    assert {str(path): found for path in others if (found := names & set(texts_in(path)))} == {}
    assert [path for path in product if "CloudWatchMetrics" in texts_in(path)] == [
        CORE / "adapters" / "telemetry" / "embedded_metrics.py"
    ]


def test_what_does_not_fit_into_a_line_is_written_in_the_next_one(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = EmbeddedMetrics("EssayLifecycle", "els")
    spans = [timedelta(milliseconds=number) for number in range(2 * MAX_VALUES + 1)]
    metrics.durations(Metric.ARRIVAL_LATENCY, spans)
    metrics.durations(Metric.RESULT_LATENCY, [])
    metrics.count({Metric.FAULTS: 1})
    metrics.flush()
    metrics.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    values = [line["ArrivalLatency"] for line in lines]
    assert [len(some) for some in values] == [MAX_VALUES, MAX_VALUES, 1]
    assert [value for some in values for value in some] == [span / MILLISECOND for span in spans]
    assert [line.get("Faults") for line in lines] == [[1], None, None]


def test_a_line_holds_no_more_metrics_than_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = EmbeddedMetrics("EssayLifecycle", "els")
    for number in range(MAX_METRICS + 1):
        other: Any = OtherMetric(f"Metric{number}")
        metrics.gauge(Gauge(other, 1))
    metrics.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(line["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for line in lines] == [MAX_METRICS, 1]


def texts_in(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        match node:
            case ast.Constant(value=str(text)):
                yield text
