"""Traces pass through the service: an invocation links to its messages, and its events carry its context."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from els_core.adapters.clock import SystemClock
from els_core.adapters.telemetry.tracing import linking, traced, traceparent
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.contracts.inbound import parse_arrival
from els_core.domain.events import RegistrationRejected
from tests.factories import CORRELATION
from tests.integration.lambda_functions import example_event

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

UPSTREAM = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def spans_of(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    traced("provision_content")(work)()
    return exporter


def test_an_invocation_links_to_the_traces_of_its_messages_and_its_events_carry_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = json.loads(example_event("provision_content")["Records"][0]["body"])
    event["detail"]["metadata"]["traceparent"] = UPSTREAM
    sent: list[str] = []

    def work() -> None:
        linking(parse_arrival)(json.dumps(event))
        linking(parse_arrival)("{")
        domain_event = RegistrationRejected("b", "fingerprint", "reason", CORRELATION)
        sent.extend(
            m.detail
            for m in JsonEventEncoder(traceparent=traceparent).encode([domain_event], SystemClock().now())
        )

    [span] = spans_of(work, monkeypatch).get_finished_spans()
    [link] = span.links
    assert span.name == "provision_content"
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" in UPSTREAM
    assert span.context is not None
    carried = json.loads(sent[0])["metadata"]["traceparent"]
    assert carried.startswith(f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-")


def test_without_an_sdk_events_carry_no_trace() -> None:
    assert traceparent() is None
