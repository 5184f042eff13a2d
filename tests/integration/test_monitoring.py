"""A real Prometheus beside the service: rules do what they say, and every query of the dashboard has data."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest

from dev.observability.exporter import Exporter
from dev.observability.prometheus import RULES, Prometheus, dashboard_queries, why_no_prometheus
from dev.programs.process import run_to_end
from dev.programs.tools import ROOT, environment
from els_core import bootstrap
from tests.integration.lambda_functions import call, example_event
from tests.telemetry_output import captured_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.lambda_functions import DeadLetterQueue

pytestmark = pytest.mark.skipif(why_no_prometheus() is not None, reason=why_no_prometheus() or "")


@pytest.fixture
def prometheus(dead_letter_queue: DeadLetterQueue) -> Iterator[Prometheus]:
    """Return a Prometheus that scrapes the health check of this test's stores each second."""
    assert dead_letter_queue.url
    with (
        captured_log(),
        Exporter(bootstrap.container().check_health().run) as exporter,
        Prometheus(exporter.port, scrape_seconds=1) as server,
    ):
        yield server


def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if condition():
            return
        Event().wait(0.05)
    raise AssertionError(f"not within 30 s: {what}")


def value_of(prometheus: Prometheus, expression: str) -> float | None:
    found = prometheus.query(expression)
    return float(found[0]["value"][1]) if found else None


def has_data(prometheus: Prometheus, expression: str) -> bool:
    return bool(prometheus.query(expression))


def test_the_rules_alert_when_they_should_and_only_then() -> None:
    run_to_end(
        ["promtool", "test", "rules", "rules_test.yml"], 60, cwd=RULES.parent, environment=environment()
    )
    output = run_to_end(["promtool", "check", "rules", str(RULES)], 60, cwd=ROOT, environment=environment())
    assert "SUCCESS" in output


def test_every_query_of_the_dashboard_returns_data(prometheus: Prometheus) -> None:
    call("register_batch", example_event("register_batch"))
    for job in ("expire_batches", "publish_outbox"):
        call(job, example_event(job))
    until(lambda: value_of(prometheus, "els_open_batches") == 1, "the open batch is scraped")
    until(lambda: value_of(prometheus, "els_relay_age_seconds") is not None, "the relay is scraped")
    for title, queries in dashboard_queries().items():
        for query in queries:
            until(partial(has_data, prometheus, query), f"data for {query} ({title})")
    assert "ElsStoreDown" in prometheus.rules()


def test_what_happens_in_the_service_shows_in_prometheus(prometheus: Prometheus) -> None:
    call("provision_content", example_event("provision_content"))
    until(lambda: value_of(prometheus, "els_parked_arrivals") == 2, "two parked arrivals")
    call("register_batch", example_event("register_batch"))
    until(lambda: value_of(prometheus, "els_parked_arrivals") == 0, "none after the registration")
    assert value_of(prometheus, "els:stores_up") == 1
