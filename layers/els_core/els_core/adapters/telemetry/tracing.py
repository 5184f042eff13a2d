"""Spans by OpenTelemetry's API. Without an SDK in the function (the ADOT layer brings one) they do nothing.

One span covers an invocation. It is linked to the trace of each message that it processes, and the events
that it publishes carry its own context.
https://opentelemetry.io/docs/specs/semconv/messaging/sqs/
"""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import SpanKind, Status, StatusCode

from els_core.application.messages import PoisonMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.trace import Span


class Traced(Protocol):
    """A message about a batch that may name the trace of its producer."""

    @property
    def batch_id(self) -> str:
        """Return the batch."""
        ...

    @property
    def traceparent(self) -> str | None:
        """Return the W3C trace context, if the producer sent one."""
        ...


@contextmanager
def invocation_span(name: str, kind: SpanKind, event: dict[str, Any]) -> Iterator[Span]:
    """Make a span of one invocation, that of a consumer with the name of its queue.

    An exception is recorded in it.
    """
    with trace.get_tracer("els").start_as_current_span(name, kind=kind) as span:
        if span.is_recording():
            if kind is SpanKind.CONSUMER:
                attributes = _messaging_attributes(event)
                span.set_attributes(attributes)
                if queue := attributes.get("messaging.destination.name"):
                    span.update_name(f"process {queue}")
            elif kind is SpanKind.SERVER:
                span.set_attributes(_http_attributes(event))
        yield span


def answered(span: Span, kind: SpanKind, answer: object) -> None:
    """Add the status that a server answered; 5xx is an error, 4xx is the caller's."""
    if kind is SpanKind.SERVER and isinstance(answer, dict) and "statusCode" in answer:
        status = int(answer["statusCode"])
        span.set_attribute("http.response.status_code", status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.set_attribute("error.type", str(status))
            span.set_status(Status(StatusCode.ERROR))


def linking[Parsed: Traced | PoisonMessage](parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """Link the current span to the trace of each message that is parsed."""

    def parse_and_link(body: str) -> Parsed:
        parsed = parse(body)
        if not isinstance(parsed, PoisonMessage) and parsed.traceparent:
            link(parsed.traceparent, {"els.batch_id": parsed.batch_id})
        return parsed

    return parse_and_link


def traceparent() -> str | None:
    """Return the W3C trace context of the current span, if there is one."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent")


def link(parent: str | None, attributes: Mapping[str, str]) -> None:
    """Link the current span to a W3C trace context, if there is one; what it is about stands at the link."""
    span = trace.get_current_span()
    if parent and span.is_recording():
        context = trace.get_current_span(extract({"traceparent": parent}, Context())).get_span_context()
        if context.is_valid:
            span.add_link(context, attributes)


def _http_attributes(event: dict[str, Any]) -> dict[str, str]:
    """Return what the conventions for HTTP servers ask for, of an event of API Gateway (payload 2.0).

    https://opentelemetry.io/docs/specs/semconv/http/http-spans/
    """
    method, _, route = str(event.get("routeKey", "")).partition(" ")
    found = {"http.request.method": method, "http.route": route, "url.path": str(event.get("rawPath", ""))}
    return {"url.scheme": "https"} | {name: value for name, value in found.items() if value}


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
