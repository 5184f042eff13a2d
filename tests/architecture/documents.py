"""What the tests of the documents read: pages, their links, headings, code and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_INLINE_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)$", re.MULTILINE)
_REFERENCE = re.compile(r"\[([^\]]+)\]\[([^\]]*)\]")


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its fenced code."""
        return _FENCE.sub("", self.text)

    @property
    def fences(self) -> list[tuple[str, str]]:
        """The fenced code with its languages."""
        return _FENCE.findall(self.text)

    @property
    def spans(self) -> list[str]:
        """The inline code, each piece in one line."""
        return [" ".join(span.split()) for span in _SPAN.findall(self.prose)]

    @property
    def code(self) -> list[str]:
        """All lines of code, inline and fenced, without the examples of events."""
        fenced = [line for kind, text in self.fences if kind != "json" for line in text.splitlines()]
        return [*self.spans, *fenced]

    @property
    def links(self) -> list[str]:
        """The targets of all links."""
        return [*_INLINE_LINK.findall(self.prose), *self.definitions.values()]

    @property
    def definitions(self) -> dict[str, str]:
        return dict(_DEFINITION.findall(self.prose))

    @property
    def references(self) -> set[str]:
        """The labels that links refer to."""
        return {label or text for text, label in _REFERENCE.findall(_SPAN.sub("", self.prose))}

    @property
    def anchors(self) -> set[str]:
        """The anchors that GitHub makes of the headings."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}

    def sections(self, mark: str) -> dict[str, str]:
        """Return the text below each heading that begins with this mark, such as `## `, by heading."""
        parts = re.split(rf"^{mark}(.+)$", self.text, flags=re.MULTILINE)
        return dict(zip(parts[1::2], parts[2::2], strict=True))


PAGES = [Page(path) for path in (*sorted(Path().glob("*.md")), *sorted(Path("docs").rglob("*.md")))]


def tables(text: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table, cells without backticks, by the heading of its first column."""
    found: dict[str, list[list[str]]] = {}
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        first, _, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        found[first[0]] = [[cell.strip("`") for cell in row] for row in rows]
    return found
