"""The page for operators names every metric, and no other."""

from __future__ import annotations

from pathlib import Path

from els_core.application.metrics import Metric
from tests.architecture.documents import Page, tables

OPERATIONS = Page(Path("docs/operations.md"))


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    expected = [[metric.metric_name, metric.unit.value, metric.meaning] for metric in Metric]
    assert tables(OPERATIONS.text)["metric"] == expected
