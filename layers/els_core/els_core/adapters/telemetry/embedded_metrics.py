"""Metrics as lines of the log that CloudWatch reads; the only file that writes one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from els_core.application.gauges import Gauge
    from els_core.application.metrics import Metric

MILLISECOND = timedelta(milliseconds=1)
MAX_METRICS = MAX_VALUES = 100  # of one line, and of one metric in it


class EmbeddedMetrics:
    """The metrics of one invocation. All have the dimension service, gauges of a queue also its name.

    Powertools checks and formats each point anew, which was a quarter of the profile of 1 000 messages.
    """

    def __init__(self, namespace: str, service: str) -> None:
        self._namespace = namespace
        self._service = service
        self._points: dict[Metric, list[float]] = {}

    def count(self, counts: Mapping[Metric, int]) -> None:
        """Add counts; zeros too, because a graph without points shows nothing."""
        for metric, count in counts.items():
            self._points.setdefault(metric, []).append(count)

    def durations(self, metric: Metric, spans: Iterable[timedelta]) -> None:
        """Add durations, each a point of its own, so that percentiles are those of single messages."""
        if values := [span / MILLISECOND for span in spans]:
            self._points.setdefault(metric, []).extend(values)

    def gauge(self, gauge: Gauge) -> None:
        """Add a gauge; one of a queue is a line of its own, because it has a dimension more."""
        if gauge.queue is None:
            self._points.setdefault(gauge.metric, []).append(gauge.value)
        else:
            self._write({gauge.metric: [gauge.value]}, {"queue": gauge.queue})

    def flush(self) -> None:
        """Write all points and forget them, in as many lines as their number needs."""
        points, self._points = self._points, {}
        while points:
            for metrics in batched(points, MAX_METRICS, strict=False):
                self._write({metric: points[metric][:MAX_VALUES] for metric in metrics}, {})
            points = {one: values[MAX_VALUES:] for one, values in points.items() if values[MAX_VALUES:]}

    def _write(self, points: Mapping[Metric, list[float]], dimensions: Mapping[str, str]) -> None:
        values = {"service": self._service, **dimensions}
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [list(values)],
            "Metrics": [{"Name": metric.metric_name, "Unit": metric.unit} for metric in points],
        }
        about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
        line = {"_aws": about, **values, **{one.metric_name: found for one, found in points.items()}}
        print(to_json(line).decode())  # noqa: T201 - Lambda's log is what is printed
