"""Metrics as lines of the log that CloudWatch reads; the only file that writes one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit as CloudWatchUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from els_core.application.gauges import Gauge
    from els_core.application.metrics import Metric

MILLISECOND = timedelta(milliseconds=1)


class EmbeddedMetrics(Metrics):
    """The metrics of one invocation. All have the dimension service, gauges of a queue also its name."""

    def count(self, counts: Mapping[Metric, int]) -> None:
        """Add counts; zeros too, because a graph without points shows nothing."""
        for metric, count in counts.items():
            self.add_metric(name=metric.metric_name, unit=metric.unit, value=count)

    def durations(self, metric: Metric, spans: Iterable[timedelta]) -> None:
        """Add durations, each a point of its own, so that percentiles are those of single messages."""
        for span in spans:
            self.add_metric(name=metric.metric_name, unit=metric.unit, value=span / MILLISECOND)

    def gauge(self, gauge: Gauge) -> None:
        """Add a gauge; one of a queue is a line of its own, because it has a dimension more."""
        name, unit = gauge.metric.metric_name, gauge.metric.unit
        if gauge.queue is None:
            self.add_metric(name=name, unit=unit, value=gauge.value)
            return
        dimensions = {"service": self.service or "", "queue": gauge.queue}
        with single_metric(
            name=name,
            unit=CloudWatchUnit(unit),
            value=gauge.value,
            namespace=self.namespace,
            default_dimensions=dimensions,
        ):
            pass
