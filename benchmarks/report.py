"""The results: tables for people, charts, and both as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from benchmarks.plots.charts import draw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.harness import Spread
    from benchmarks.plots.charts import Bars, Lines

type Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """One table of the report; a note says how to read it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def markdown(self) -> str:
        """Return it as a table of Markdown that can be pasted into a page."""
        lines = [f"### {self.title}", ""]
        lines += [f"| {' | '.join(self.columns)} |", "|---" * len(self.columns) + "|"]
        lines += [f"| {' | '.join(map(_text, row))} |" for row in self.rows]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])


@dataclass(frozen=True)
class Goal:
    """What a part must reach, and what it reached, as a ratio or a figure in the unit of the goal."""

    what: str
    at_least: float | None
    at_most: float | None
    measured: float

    @property
    def is_reached(self) -> bool:
        """Tell whether the measured figure is within its bounds."""
        return (self.at_least is None or self.measured >= self.at_least) and (
            self.at_most is None or self.measured <= self.at_most
        )

    def row(self) -> tuple[Cell, ...]:
        """Return its row of the table of goals."""
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        wanted = ", ".join(f"{word} {_text(float(bound))}" for word, bound in bounds if bound is not None)
        return self.what, wanted, float(self.measured), "yes" if self.is_reached else "no"


@dataclass(frozen=True)
class Section:
    """What one part of the benchmark found, and what was left out, each with its reason."""

    name: str
    tables: Sequence[Table]
    charts: Sequence[Lines | Bars] = ()
    goals: Sequence[Goal] = ()
    left_out: Sequence[str] = field(default=())


def spread(values: Spread, form: str = ",.0f") -> str:
    """Return a median with the lowest and the highest value, as text of a cell."""
    return f"{values.median:{form}} ({values.lowest:{form}} to {values.highest:{form}})"


def machine() -> str:
    """Return what the figures depend on."""
    return f"{os.cpu_count()} cores shared with the servers, Python {platform.python_version()}"


def markdown(sections: Sequence[Section]) -> str:
    """Return all tables as one text."""
    goals = [goal.row() for section in sections for goal in section.goals]
    wanted = Table("Goals", ("goal", "wanted", "measured", "reached"), goals)
    tables = [*([wanted] if goals else []), *(table for section in sections for table in section.tables)]
    parts = [table.markdown() for table in tables]
    left_out = [f"- {line}" for section in sections for line in section.left_out]
    return "\n".join([f"Measured on {machine()}.", "", *parts, *left_out])


def save(sections: Sequence[Section], path: Path) -> list[Path]:
    """Write the results as JSON, the tables as Markdown and the charts as SVG beside it; return the files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "sections": [asdict(section) for section in sections]}
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    tables = path.with_suffix(".md")
    tables.write_text(markdown(sections) + "\n", "utf-8")
    charts = []
    for chart in (chart for section in sections for chart in section.charts):
        charts.append(path.parent / f"{chart.name}.svg")
        charts[-1].write_text(draw(chart), "utf-8")
    return [path, tables, *charts]


def _text(cell: Cell) -> str:
    match cell:
        case float():
            return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"  # noqa: PLR2004 - three digits
        case int():
            return f"{cell:,}"
        case str():
            return cell
