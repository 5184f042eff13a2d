"""Metrics have names, units and meanings that CloudWatch and an operator understand."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit

from els_core.application.metrics import Metric


def test_a_metric_has_a_name_of_its_own_a_unit_of_cloudwatch_and_one_sentence() -> None:
    names = [metric.metric_name for metric in Metric]
    assert len(set(names)) == len(names)
    assert {metric.unit.value for metric in Metric} <= {unit.value for unit in MetricUnit}
    for metric in Metric:
        assert metric.metric_name.isalnum()
        assert metric.meaning[0].isupper()
        assert metric.meaning.find(".") == len(metric.meaning) - 1
