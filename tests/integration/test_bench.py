"""`make bench` in small: everything that it counts is right, whatever it times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dev.programs.process import run_to_end
from dev.programs.tools import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 500


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Run it, and return the rows of each table, each row by its first cell."""
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    command = ["python", "-m", "benchmarks", "--effort", "smoke", "--out", str(out)]
    output = run_to_end(command, SECONDS, cwd=Path(), environment=environment())
    sections = json.loads(out.read_text("utf-8"))["sections"]
    found = [table for section in sections for table in section["tables"]]
    charts = [chart["name"] for section in sections for chart in section["charts"]]
    assert {path.stem for path in out.parent.glob("*.svg")} == set(charts)
    assert all(f"### {table['title']}" in output for table in found)
    return {table["title"]: table for table in found}


def column(table: Mapping[str, Any], name: str) -> list[Any]:
    position = table["columns"].index(name)
    return [row[position] for row in table["rows"]]


def test_an_invocation_takes_the_same_trips_for_any_number_of_records(tables: Mapping[str, Any]) -> None:
    trips = [tuple(row[1:]) for row in tables["Round trips"]["rows"]]
    assert trips == [(3, 1, 1)] * 3 + [(4, 2, 1)]  # Postgres, Redis, the bus; the last one closes a batch


def test_each_batch_has_one_final_result_and_none_is_early(tables: Mapping[str, Any]) -> None:
    table = tables["Beside the peers: latency and correctness"]
    assert column(table, "exactly one") == ["2 of 2"]
    assert column(table, "early") == [0]
    assert column(table, "after FLUSHALL") == ["2 of 2"]


def test_a_slot_takes_few_bytes_and_every_key_expires(tables: Mapping[str, Any]) -> None:
    [title] = [title for title in tables if title.startswith("A batch of ")]
    rows = {row[0]: row for row in tables[title]["rows"]}
    assert 0 < rows["all slots free"][2] <= 100
    assert 0 < rows["all used but one"][2] <= 350
    assert rows["keys that never expire"][1] == 0


def test_a_crowd_on_one_batch_loses_nothing(tables: Mapping[str, Any]) -> None:
    table = tables["A crowd on one batch"]
    assert column(table, "invocations at once") == [8]
    assert column(table, "lost") == [0]


def test_every_part_has_its_table(tables: Mapping[str, Any]) -> None:
    titles = {"Arrivals per second", "Workers", "Cold start", "The sweep", "The relay", "Round trips"}
    assert titles <= set(tables)
    assert all(table["rows"] for table in tables.values())
