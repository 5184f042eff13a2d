"""Reads what `Telemetry` writes: log lines, metrics as CloudWatch finds them in the log, and spans."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.application.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextmanager
def captured_log() -> Iterator[StringIO]:
    """Collect the log of all functions: loggers of the same service share one handler."""
    handler = Telemetry().logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    if handler.stream.closed:  # the first test that made the logger had a standard output of its own
        handler.stream = sys.stdout
    log = StringIO()
    before = handler.setStream(log)
    try:
        yield log
    finally:
        handler.setStream(before)


def lines_of(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def metrics_of(out: str) -> dict[str, float]:
    """Add up the embedded metrics. Their dimensions are the service and, of a queue's gauge, its name."""
    total: dict[str, float] = {}
    units = {metric.metric_name: metric.unit.value for metric in Metric}
    for line in out.splitlines():
        blob = json.loads(line)
        [directive] = blob["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "EssayLifecycle"
        assert directive["Dimensions"] in ([["service"]], [["service", "queue"]])
        assert blob["service"] == "els"
        for metric in directive["Metrics"]:
            assert metric["Unit"] == units[metric["Name"]]
            total[metric["Name"]] = total.get(metric["Name"], 0) + sum(blob[metric["Name"]])
    return total


def recorded_spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Let an SDK record all spans for the length of the test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter
