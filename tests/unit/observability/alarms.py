"""Evaluates the alarms of infra/observability.yaml as CloudWatch does, on metrics that the code writes."""

from __future__ import annotations

import json
import operator
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from dev.deploy.template import Template
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OBSERVABILITY = ROOT / "infra" / "observability.yaml"
NAMES = {
    name: name
    for name in (
        "RegisterBatchQueue",
        "SteerBatchQueue",
        "ProvisionContentQueue",
        "RegisterBatchFunction",
        "SteerBatchFunction",
        "ProvisionContentFunction",
        "ExpireBatchesFunction",
        "PublishOutboxFunction",
    )
}
PARKING_SECONDS = 3_600
TEMPLATE = Template.read({**NAMES, "ParkingSeconds": str(PARKING_SECONDS)}, OBSERVABILITY)
STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {"Maximum": max, "Minimum": min, "Sum": sum}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}

# The points of one period, by metric and the values of its dimensions.
type Points = Mapping[tuple[str, frozenset[tuple[str, str]]], Sequence[float]]


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a kind, parameters resolved."""
    found = TEMPLATE.document["Resources"].items()
    return {
        name: {key: TEMPLATE.resolve(value) for key, value in resource["Properties"].items() if key in READ}
        for name, resource in found
        if resource["Type"] == kind
    }


READ = {
    "Namespace",
    "MetricName",
    "Dimensions",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "ComparisonOperator",
    "Threshold",
    "TreatMissingData",
}
ALARMS = resources("AWS::CloudWatch::Alarm")


def points_of(out: str) -> Points:
    """Return the points that the embedded metrics in a log hold."""
    points: dict[tuple[str, frozenset[tuple[str, str]]], list[float]] = defaultdict(list)
    for line in out.splitlines():
        blob = json.loads(line)
        [directive] = blob["_aws"]["CloudWatchMetrics"]
        [names] = directive["Dimensions"]
        dimensions = frozenset((name, blob[name]) for name in names)
        for metric in directive["Metrics"]:
            points[metric["Name"], dimensions].extend(blob[metric["Name"]])
    return points


def fires(alarm: Mapping[str, Any], periods: Sequence[Points]) -> bool:
    """Tell whether the alarm is in ALARM after these periods, the last of which decide."""
    decisive = periods[-int(alarm["EvaluationPeriods"]) :]
    return len(decisive) == int(alarm["EvaluationPeriods"]) and all(_breaches(alarm, one) for one in decisive)


def _breaches(alarm: Mapping[str, Any], period: Points) -> bool:
    dimensions = frozenset((one["Name"], str(one["Value"])) for one in alarm["Dimensions"])
    values = period.get((alarm["MetricName"], dimensions), ())
    if not values:
        return bool(alarm["TreatMissingData"] == "breaching")
    value = STATISTICS[alarm["Statistic"]](values)
    return COMPARISONS[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))
