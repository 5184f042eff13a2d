"""The dashboard asks an operator's questions of metrics that exist."""

from __future__ import annotations

import json
from typing import Any

from els_core.application.metrics import Metric
from tests.unit.observability.alarms import TEMPLATE

QUEUE_METRICS = {Metric.MESSAGES_WAITING, Metric.MESSAGES_IN_FLIGHT, Metric.DEAD_LETTERS}


def widgets() -> list[dict[str, Any]]:
    body = TEMPLATE.document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def test_every_widget_is_a_question_of_its_own() -> None:
    titles = [widget["properties"]["title"] for widget in widgets()]
    assert len(set(titles)) == len(titles)
    assert [title for title in titles if not title.endswith("?")] == []


def test_every_metric_of_the_dashboard_is_emitted_with_these_dimensions() -> None:
    names = {metric.metric_name: metric for metric in Metric}
    for widget in widgets():
        for namespace, name, *dimensions in widget["properties"]["metrics"]:
            given = [part for part in dimensions if isinstance(part, str)]
            expected = ["service", "queue"] if names[name] in QUEUE_METRICS else ["service"]
            assert (namespace, given[::2]) == ("EssayLifecycle", expected)


def test_no_two_widgets_cover_each_other() -> None:
    places = [(widget["x"], widget["y"]) for widget in widgets()]
    assert len(set(places)) == len(places)
    assert {(widget["width"], widget["height"]) for widget in widgets()} == {(12, 6)}
