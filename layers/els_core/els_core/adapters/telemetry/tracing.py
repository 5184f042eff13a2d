"""Spans by OpenTelemetry's API. Without an SDK in the function (the ADOT layer brings one) they do nothing.

One span covers an invocation. It is linked to the trace of each message that it processes, and the events
that it publishes carry its own context.
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import trace
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import SpanKind

from els_core.application.messages import PoisonMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Traced(Protocol):
    """A message that may name the trace of its producer."""

    @property
    def traceparent(self) -> str | None:
        """Return the W3C trace context, if the producer sent one."""
        ...


@contextmanager
def invocation_span(name: str, kind: SpanKind, event: dict[str, Any]) -> Iterator[None]:
    """Make a span of one invocation; an exception is recorded in it."""
    with trace.get_tracer("els").start_as_current_span(name, kind=kind) as span:
        if kind is SpanKind.CONSUMER and span.is_recording():
            span.set_attributes(_messaging_attributes(event))
        yield


def linking[Parsed: Traced | PoisonMessage](parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """Link the current span to the trace of each message that is parsed."""

    def parse_and_link(body: str) -> Parsed:
        parsed = parse(body)
        if not isinstance(parsed, PoisonMessage) and parsed.traceparent:
            _link(parsed.traceparent)
        return parsed

    return parse_and_link


def traceparent() -> str | None:
    """Return the W3C trace context of the current span, if there is one."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent")


def _link(parent: str) -> None:
    span = trace.get_current_span()
    if span.is_recording():
        context = trace.get_current_span(extract({"traceparent": parent})).get_span_context()
        if context.is_valid:
            span.add_link(context)


def _messaging_attributes(event: dict[str, Any]) -> dict[str, str | int]:
    """Return what the conventions for SQS ask for; all messages of one invocation come from one queue."""
    records = event.get("Records")
    records = records if isinstance(records, list) else []
    attributes: dict[str, str | int] = {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.batch.message_count": len(records),
    }
    arn = records[0].get("eventSourceARN") if records and isinstance(records[0], dict) else None
    if isinstance(arn, str):
        attributes["messaging.destination.name"] = arn.rpartition(":")[2]
    return attributes
