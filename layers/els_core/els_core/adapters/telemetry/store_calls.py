"""A client span for each call of a store, and the time that an invocation waited for it.

https://opentelemetry.io/docs/specs/semconv/database/database-spans/
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from els_core.application.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_WAITED: ContextVar[dict[Metric, timedelta] | None] = ContextVar("waited", default=None)


@contextmanager
def waited_for_stores() -> Iterator[dict[Metric, timedelta]]:
    """Yield a table that holds, at the end of the block, how long it waited for each store."""
    waited: dict[Metric, timedelta] = {}
    token = _WAITED.set(waited)
    try:
        yield waited
    finally:
        _WAITED.reset(token)


def redis_calls(operation: str) -> AbstractContextManager[None]:
    """Observe a call of Redis."""
    return _observed("redis", Metric.TIME_IN_REDIS, operation)


def postgres_calls(operation: str) -> AbstractContextManager[None]:
    """Observe a statement or a transaction of Postgres."""
    return _observed("postgresql", Metric.TIME_IN_POSTGRES, operation)


@contextmanager
def event_bus_sends(bus: str, count: int) -> Iterator[None]:
    """Observe a call of PutEvents: a producer span, as the conventions for messaging ask.

    https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
    """
    attributes: dict[str, str | int] = {
        "messaging.system": "aws_eventbridge",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": bus,
        "messaging.batch.message_count": count,
    }
    tracer = trace.get_tracer("els")
    with tracer.start_as_current_span(f"send {bus}", kind=SpanKind.PRODUCER, attributes=attributes):
        yield


@contextmanager
def _observed(system: str, metric: Metric, operation: str) -> Iterator[None]:
    """Keep the span of the invocation current: events that are encoded in a transaction carry its context."""
    started = perf_counter()
    attributes = {"db.system.name": system, "db.operation.name": operation}
    span = trace.get_tracer("els").start_span(
        f"{system} {operation}", kind=SpanKind.CLIENT, attributes=attributes
    )
    try:
        yield
    except Exception as fault:
        span.record_exception(fault)
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()
        waited = _WAITED.get()
        if waited is not None:
            waited[metric] = waited.get(metric, timedelta()) + timedelta(seconds=perf_counter() - started)
