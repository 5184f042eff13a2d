"""Writes every span to the file that ELS_SPAN_FILE names, a line each: the SDK's part of a local run.

It travels in the layer of `tracing_layer`, where OpenTelemetry's API finds it by its entry point, so it
imports nothing of this repository.
"""

from __future__ import annotations

import os
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

BUFFER_BYTES = 1 << 20  # more than a span, so that each one is appended with one call


def provider() -> TracerProvider:
    """Return a provider whose spans are appended to the file as they end."""
    out = Path(os.environ["ELS_SPAN_FILE"]).open("a", BUFFER_BYTES, "utf-8")  # noqa: SIM115 - until the process ends
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out, formatter=_line)))
    return provider


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"
