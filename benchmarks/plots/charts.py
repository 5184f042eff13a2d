"""The charts of the report: lines, over logarithmic axes where that helps, and bars, which may be stacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from benchmarks.plots.scales import Scale
from benchmarks.plots.svg import Svg, color

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, LINES_HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 56, 48
BAR, GAP, LABELS = 20, 14, 200


@dataclass(frozen=True)
class Lines:
    """One line for each series of points, each with its legend at its right end."""

    name: str
    title: str
    x_label: str
    y_label: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    log_x: bool = True
    log_y: bool = False


@dataclass(frozen=True)
class Bars:
    """One horizontal bar for each row, made of its parts in their order."""

    name: str
    title: str
    unit: str
    rows: Mapping[str, Mapping[str, float]]


def draw(chart: Lines | Bars) -> str:
    """Return a chart as the text of an SVG file."""
    match chart:
        case Lines():
            return _lines(chart)
        case Bars():
            return _bars(chart)
        case _:
            assert_never(chart)


def _lines(chart: Lines) -> str:
    svg = Svg(WIDTH, LINES_HEIGHT, chart.title)
    points = [point for series in chart.series.values() for point in series]
    right, bottom = WIDTH - RIGHT, LINES_HEIGHT - BOTTOM
    x_scale = Scale.over([x for x, _ in points], LEFT, right, is_log=chart.log_x)
    y_scale = Scale.over([y for _, y in points], bottom, TOP, is_log=chart.log_y, with_zero=not chart.log_y)
    for value, place in x_scale.ticks():
        svg.line(place, TOP, place, bottom, "grid")
        svg.text(place, bottom + 18, _short(value), "middle")
    for value, place in y_scale.ticks():
        svg.line(LEFT, place, right, place, "grid")
        svg.text(LEFT - 8, place + 4, _short(value), "end")
    svg.text((LEFT + right) / 2, LINES_HEIGHT - 10, chart.x_label, "middle")
    svg.text(LEFT - 50, TOP - 12, chart.y_label, "start")
    labels = []
    for number, (name, series) in enumerate(chart.series.items()):
        places = [(x_scale.place(x), y_scale.place(y)) for x, y in series]
        svg.path(places, color(number))
        if places:
            labels.append((places[-1][1], name, color(number)))
    _legend(svg, labels, right + 14)
    return svg.finish()


def _legend(svg: Svg, labels: list[tuple[float, str, str]], x: float) -> None:
    """Write each name beside the end of its line, moved down where two would overlap."""
    free = 0.0
    for y, name, fill in sorted(labels):
        place = max(y, free)
        svg.text(x, place + 4, name, "start", fill)
        free = place + 16


def _bars(chart: Bars) -> str:
    height = TOP + len(chart.rows) * (BAR + GAP) + BOTTOM
    svg = Svg(WIDTH, height, chart.title)
    parts = list(dict.fromkeys(part for row in chart.rows.values() for part in row))
    longest = max((sum(row.values()) for row in chart.rows.values()), default=0.0) or 1.0
    scale = (WIDTH - LABELS - 120) / longest
    for number, (name, row) in enumerate(chart.rows.items()):
        y = TOP + number * (BAR + GAP)
        x = float(LABELS)
        svg.text(LABELS - 10, y + 15, name, "end")
        for part, value in row.items():
            words = f"{part} {_short(value)} {chart.unit}"
            svg.bar((x, y), (value * scale, BAR), color(parts.index(part)), words)
            x += value * scale
        svg.text(x + 6, y + 15, f"{_short(sum(row.values()))} {chart.unit}", "start")
    if len(parts) > 1:
        _parts(svg, parts, height - 32)
    return svg.finish()


def _parts(svg: Svg, parts: list[str], y: float) -> None:
    """Write the names of the parts below the bars, in as many lines as they need."""
    x = 10.0
    for number, part in enumerate(parts):
        width = 30 + 6.6 * len(part)
        if x + width > WIDTH:
            x, y = 10.0, y + 18
        svg.bar((x, y - 10), (10, 10), color(number), part)
        svg.text(x + 15, y, part, "start")
        x += width


def _short(value: float) -> str:
    """Return a number in three digits, with its thousands apart."""
    if abs(value) >= 1_000:  # noqa: PLR2004 - from here on no decimals
        return f"{value:,.0f}"
    return f"{value:.3g}"
