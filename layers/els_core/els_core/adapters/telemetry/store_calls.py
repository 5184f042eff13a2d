"""A client span for each call of a store, and the time that an invocation waited for it.

https://opentelemetry.io/docs/specs/semconv/db/database-spans/
https://opentelemetry.io/docs/specs/semconv/db/redis/
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from els_core.adapters.telemetry.tracing import link
from els_core.application.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from els_core.domain.events import OutboxMessage

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


def redis_calls(script: str) -> AbstractContextManager[None]:
    """Observe the call of a script of Redis, for any number of batches."""
    attributes = {"db.operation.name": "EVALSHA", "db.stored_procedure.name": script}
    return _observed(f"EVALSHA {script}", Metric.TIME_IN_REDIS, {"db.system.name": "redis", **attributes})


def postgres_calls(operation: str) -> AbstractContextManager[None]:
    """Observe a statement or a transaction of Postgres."""
    attributes = {"db.system.name": "postgresql", "db.query.summary": operation}
    return _observed(operation, Metric.TIME_IN_POSTGRES, attributes)


@contextmanager
def event_bus_sends(bus: str, messages: Sequence[OutboxMessage]) -> Iterator[None]:
    """Observe a call of PutEvents: a producer span with a link to where each event was decided.

    https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
    """
    attributes: dict[str, str | int] = {
        "messaging.system": "aws_eventbridge",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": bus,
        "messaging.batch.message_count": len(messages),
    }
    tracer = trace.get_tracer("els")
    with tracer.start_as_current_span(f"send {bus}", kind=SpanKind.PRODUCER, attributes=attributes) as span:
        if span.is_recording():
            for message in messages:
                link(json.loads(message.detail)["metadata"].get("traceparent"), _message_attributes(message))
        yield


def _message_attributes(message: OutboxMessage) -> dict[str, str]:
    return {
        "messaging.message.id": str(message.event_id),
        "els.detail_type": message.detail_type,
        "els.batch_id": message.batch_id,
    }


@contextmanager
def _observed(name: str, metric: Metric, attributes: Mapping[str, str]) -> Iterator[None]:
    """Keep the span of the invocation current: events that are encoded in a transaction carry its context."""
    started = perf_counter()
    span = trace.get_tracer("els").start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
    try:
        yield
    except Exception as fault:
        span.record_exception(fault)
        span.set_attribute("error.type", type(fault).__name__)
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()
        waited = _WAITED.get()
        if waited is not None:
            waited[metric] = waited.get(metric, timedelta()) + timedelta(seconds=perf_counter() - started)
