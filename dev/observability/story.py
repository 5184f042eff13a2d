"""The traces of one batch as text: which functions it passed, what they asked of the stores, what was told.

An invocation handles messages of many traces, so a trace leads to it by a link; an event carries the context
of the invocation that decided it, and whoever sends it links to that. The story follows these links.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

UPSTREAM = "els.batch_id"  # an attribute of a link
SHOWN = ("db.system.name", "messaging.batch.message_count", "http.response.status_code", "error.type")


@dataclass(frozen=True)
class Link:
    """Where a link leads, and what it says about the message."""

    span_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """One span; times are in UTC."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start: datetime
    end: datetime
    attributes: Mapping[str, Any]
    links: Sequence[Link]

    @property
    def batches(self) -> set[str]:
        """Return the batches that its messages are about."""
        return {link.attributes[UPSTREAM] for link in self.links if UPSTREAM in link.attributes}


def read_spans(lines: Iterable[str]) -> list[Span]:
    """Return the spans that the SDK wrote, a JSON object per line, in the order in which they began."""
    return sorted((_span(json.loads(line)) for line in lines), key=lambda span: span.start)


def story_of(spans: Sequence[Span], batch_id: str) -> list[str]:
    """Return a line for each span that has to do with the batch, those inside another one indented."""
    by_id = {span.span_id: span for span in spans}
    inside: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        if span.parent_id in by_id:
            inside[str(span.parent_id)].append(span)
    roots = [span for span in spans if span.parent_id not in by_id]
    told = [root for root in roots if any(batch_id in each.batches for each in _whole(root, inside))]
    return [line for root in told for line in _lines(root, told[0].start, inside, batch_id, 0)]


def _whole(span: Span, inside: Mapping[str, Sequence[Span]]) -> Iterator[Span]:
    yield span
    for each in inside.get(span.span_id, ()):
        yield from _whole(each, inside)


def _lines(
    span: Span, began: datetime, inside: Mapping[str, Sequence[Span]], batch_id: str, depth: int
) -> Iterator[str]:
    after, took = (span.start - began).total_seconds(), (span.end - span.start).total_seconds() * 1_000
    said = "".join(f"  {span.attributes[name]}" for name in SHOWN if name in span.attributes)
    said += "" if depth else f"  (span {span.span_id})"
    yield f"{after:8.3f} s {took:7.1f} ms  {'  ' * depth}{span.kind:<8} {span.name}{said}"
    for link in span.links:
        if link.attributes.get(UPSTREAM) == batch_id:
            what = link.attributes.get("els.detail_type", "message")
            yield f"{'':23}{'  ' * depth}  {what} of span {link.span_id}"
    for each in inside.get(span.span_id, ()):
        yield from _lines(each, began, inside, batch_id, depth + 1)


def _span(written: Mapping[str, Any]) -> Span:
    return Span(
        span_id=_id(written["context"]["span_id"]),
        parent_id=_id(written["parent_id"]) if written["parent_id"] else None,
        name=written["name"],
        kind=written["kind"].removeprefix("SpanKind.").lower(),
        start=datetime.fromisoformat(written["start_time"]),
        end=datetime.fromisoformat(written["end_time"]),
        attributes=written["attributes"],
        links=[Link(_id(each["context"]["span_id"]), each["attributes"]) for each in written["links"]],
    )


def _id(written: str) -> str:
    return written.removeprefix("0x")
