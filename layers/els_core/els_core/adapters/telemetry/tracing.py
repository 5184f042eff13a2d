"""Spans by OpenTelemetry's API. Without an SDK in the function (the ADOT layer brings one) they do nothing.

One span stands for an invocation; it is linked to the traces of the events that it handles, and those that it
announces carry it on. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import SpanKind

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration

if TYPE_CHECKING:
    from collections.abc import Callable


def traced[Answer, **Arguments](
    name: str,
) -> Callable[[Callable[Arguments, Answer]], Callable[Arguments, Answer]]:
    """Make a span of each call."""

    def decorate(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
        @wraps(function)
        def call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
            tracer = trace.get_tracer("els")
            with tracer.start_as_current_span(name, kind=SpanKind.CONSUMER):
                return function(*arguments, **named)

        return call

    return decorate


def linking[Parsed](parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """Link the current span to the trace of each event that is parsed."""

    def parse_and_link(body: str) -> Parsed:
        parsed = parse(body)
        span = trace.get_current_span()
        if (
            span.is_recording()
            and isinstance(parsed, Content | Failure | Registration)
            and parsed.traceparent
        ):
            context = trace.get_current_span(extract({"traceparent": parsed.traceparent})).get_span_context()
            if context.is_valid:
                span.add_link(context)
        return parsed

    return parse_and_link


def traceparent() -> str | None:
    """Return the W3C context of the current span, if there is one."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent")
