"""The tables and charts of a benchmark lose no figure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from benchmarks.harness import Spread, percentile
from benchmarks.plots.charts import Bars, Lines, draw
from benchmarks.plots.scales import Scale
from benchmarks.report import Goal, Section, Table, markdown, save, spread

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
TABLE = Table("Rates", ("program", "arrivals/s"), [("ours", 130_049), ("theirs", 0.1234)], "Read it so.")
LINES = Lines("rates", "Rates & sizes", "size", "arrivals/s", {"a < b": [(1, 10), (1_000, 20)], "c": []})
BARS = Bars("bytes", "Bytes", "B", {"free": {"slots": 60, "names": 40}, "full": {"slots": 200}})


def test_a_table_is_markdown_that_can_be_pasted() -> None:
    lines = TABLE.markdown().splitlines()
    assert "| program | arrivals/s |" in lines
    assert "|---|---|" in lines
    assert "| ours | 130,049 |" in lines
    assert "| theirs | 0.123 |" in lines
    assert "Read it so." in lines


def test_a_spread_shows_the_median_and_both_ends() -> None:
    assert spread(Spread(1_300.4, 1_179.0, 1_316.0)) == "1,300 (1,179 to 1,316)"
    assert spread(Spread(0.571, 0.51, 10.62), ".2f") == "0.57 (0.51 to 10.62)"


def test_what_was_left_out_is_said() -> None:
    assert "- Celery is left out: no network" in markdown(
        [Section("peers", [TABLE], left_out=["Celery is left out: no network"])]
    )


def test_a_goal_is_reached_within_its_bounds() -> None:
    goals = [Goal("share", 0.85, None, 0.85), Goal("ratio", None, 1.3, 1.31), Goal("exactly", 1, 1, 0.5)]
    assert [goal.is_reached for goal in goals] == [True, False, False]
    text = markdown([Section("goals", [TABLE], goals=goals)])
    assert "| share | at least 0.85 | 0.85 | yes |" in text
    assert "| ratio | at most 1.3 | 1.31 | no |" in text
    assert "| exactly | at least 1, at most 1 | 0.5 | no |" in text


def test_results_are_saved_for_people_and_for_programs(tmp_path: Path) -> None:
    files = save([Section("rates", [TABLE], [LINES, BARS])], tmp_path / "new" / "bench.json")
    assert [file.name for file in files] == ["bench.json", "bench.md", "rates.svg", "bytes.svg"]
    [section] = json.loads(files[0].read_text("utf-8"))["sections"]
    assert section["tables"][0]["rows"] == [["ours", 130_049], ["theirs", 0.1234]]
    assert section["charts"][0]["series"]["a < b"] == [[1, 10], [1_000, 20]]


def test_lines_have_a_dot_for_each_point_and_a_name_for_each_series() -> None:
    root = ET.fromstring(draw(LINES))  # noqa: S314 - it was written here
    assert len(root.findall(f"{SVG}circle")) == 2
    texts = [element.text for element in root.findall(f"{SVG}text")]
    assert {"Rates & sizes", "a < b", "c", "size", "arrivals/s"} - set(texts) == {"c"}


def test_bars_are_as_long_as_their_values() -> None:
    root = ET.fromstring(draw(BARS))  # noqa: S314 - it was written here
    widths = {
        rect.findtext(f"{SVG}title"): float(rect.attrib["width"])
        for rect in root.findall(f"{SVG}rect")
        if rect.attrib.get("height") == "20.0"
    }
    assert widths["slots 200 B"] == 2 * (widths["slots 60 B"] + widths["names 40 B"])


def test_the_same_figures_give_the_same_bytes() -> None:
    assert draw(LINES) == draw(LINES)
    assert draw(BARS) == draw(BARS)


def test_a_scale_shows_all_values_between_round_ones() -> None:
    powers = Scale.over([3, 2_000], 0, 100, is_log=True)
    assert [value for value, _ in powers.ticks()] == [1, 10, 100, 1_000, 10_000]
    steps = Scale.over([3, 47], 100, 0, is_log=False, with_zero=True)
    assert steps.ticks() == [(0, 100), (10, 80), (20, 60), (30, 40), (40, 20), (50, 0)]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.5) == 51
    assert percentile(values, 0.99) == 100
    assert percentile([], 0.5) == 0
