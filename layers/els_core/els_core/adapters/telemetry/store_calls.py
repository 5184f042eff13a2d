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
from opentelemetry.trace import SpanKind

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
def _observed(system: str, metric: Metric, operation: str) -> Iterator[None]:
    started = perf_counter()
    try:
        with trace.get_tracer("els").start_as_current_span(
            f"{system} {operation}", kind=SpanKind.CLIENT
        ) as span:
            span.set_attributes({"db.system.name": system, "db.operation.name": operation})
            yield
    finally:
        waited = _WAITED.get()
        if waited is not None:
            waited[metric] = waited.get(metric, timedelta()) + timedelta(seconds=perf_counter() - started)
