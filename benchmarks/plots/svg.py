"""The few elements of SVG that the charts need; they can be read on a light page and on a dark one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

type Anchor = Literal["start", "middle", "end"]

# Colours that people who see few colours can tell apart (Okabe and Ito).
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C", "#B5A000", "#7F3C8D")
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8c959f55 }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .page { fill: #0d1117 } }
"""


def color(number: int) -> str:
    """Return the colour of a series."""
    return COLORS[number % len(COLORS)]


class Svg:
    """An SVG file in the making."""

    def __init__(self, width: int, height: int, title: str) -> None:
        box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
            f"<title>{escape(title)}</title><style>{STYLE}</style>",
            f'<rect class="page" width="{width}" height="{height}"/>',
            f'<text class="title" x="10" y="20">{escape(title)}</text>',
        ]

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line of a class of the style."""
        self._parts.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def text(self, x: float, y: float, words: str, anchor: Anchor, fill: str | None = None) -> None:
        """Write words that start, end or have their middle at a place."""
        style = f' style="fill:{fill}"' if fill else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(words)}</text>'
        )

    def path(self, places: Sequence[tuple[float, float]], stroke: str) -> None:
        """Draw a line through places, with a dot at each."""
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self._parts.append(f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="2"/>')
        self._parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{stroke}"/>' for x, y in places]

    def bar(self, place: tuple[float, float], size: tuple[float, float], fill: str, words: str) -> None:
        """Draw a rectangle; the words show when the pointer rests on it."""
        (x, y), (width, height) = place, size
        box = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}"'
        self._parts.append(f'<rect {box} fill="{fill}"><title>{escape(words)}</title></rect>')

    def finish(self) -> str:
        """Return the text of the file."""
        return "\n".join([*self._parts, "</svg>", ""])
