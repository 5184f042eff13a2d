"""`GET /metrics` has the gauges of a health check, in the text format of Prometheus."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import yaml
from urllib3 import request

from dev.observability.exporter import Exporter, exposition, prometheus_name
from dev.observability.prometheus import DASHBOARD, RULES
from els_core.application.gauges import Gauge, gauges_of
from els_core.application.metrics import Metric
from tests.unit.adapters.telemetry.results import health_report

if TYPE_CHECKING:
    from els_core.application.check_health import HealthReport


def test_gauges_of_one_metric_stand_together_under_its_meaning() -> None:
    gauges = [
        Gauge(Metric.DEAD_LETTERS, 1, "a"),
        Gauge(Metric.SWEEP_AGE, 1.5),
        Gauge(Metric.DEAD_LETTERS, 2, "b"),
    ]
    assert exposition(gauges).splitlines() == [
        f"# HELP els_dead_letters {Metric.DEAD_LETTERS.meaning}",
        "# TYPE els_dead_letters gauge",
        'els_dead_letters{queue="a"} 1.0',
        'els_dead_letters{queue="b"} 2.0',
        f"# HELP els_sweep_age_seconds {Metric.SWEEP_AGE.meaning}",
        "# TYPE els_sweep_age_seconds gauge",
        "els_sweep_age_seconds 1.5",
    ]


def test_each_request_is_a_health_check_of_its_own() -> None:
    checks: list[HealthReport] = []

    def check() -> HealthReport:
        checks.append(health_report())
        return checks[-1]

    with Exporter(check) as exporter:
        url = f"http://127.0.0.1:{exporter.port}"
        answers = [request("GET", f"{url}/metrics") for _ in range(2)]
        missing = request("GET", url)
    assert [answer.data.decode() for answer in answers] == [exposition(gauges_of(health_report()))] * 2
    assert answers[0].headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert (missing.status, len(checks)) == (404, 2)


def test_rules_and_dashboard_name_gauges_that_are_served() -> None:
    served = {prometheus_name(gauge.metric) for gauge in gauges_of(health_report())}
    recorded = set(re.findall(r"record: (\S+)", RULES.read_text("utf-8")))
    named = set(re.findall(r"\bels[_:]\w+", RULES.read_text("utf-8") + DASHBOARD.read_text("utf-8")))
    assert named <= served | recorded


def test_every_alert_has_a_test_and_says_what_is_wrong() -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]
    alerts = {rule["alert"]: rule["annotations"]["summary"] for rule in rules if "alert" in rule}
    tests = yaml.safe_load(RULES.with_name("rules_test.yml").read_text("utf-8"))["tests"]
    assert {one["alertname"] for test in tests for one in test["alert_rule_test"]} == set(alerts)
    assert all(alerts.values())


def test_every_panel_of_the_dashboard_is_a_question_and_has_a_query() -> None:
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        assert "?" in panel["title"]
        assert panel["targets"]
