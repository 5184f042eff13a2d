"""A trace continues through the service: links lead into the invocation, events carry it on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError
from opentelemetry.trace import SpanKind, StatusCode

from dev.observability.story import read_spans, story_of
from els_core.adapters.aws.event_bus import EventBridgePublisher
from els_core.adapters.clock import SystemClock
from els_core.adapters.telemetry.store_calls import postgres_calls
from els_core.adapters.telemetry.tracing import invocation_span, linking, traceparent
from els_core.application.publish_outbox import PublishOutbox
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.contracts.inbound import parse_arrival
from els_core.domain.events import RegistrationRejected
from tests.architecture.project import FUNCTIONS
from tests.factories import CORRELATION
from tests.integration.lambda_functions import call, example_event
from tests.telemetry_output import recorded_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from els_core.domain.events import OutboxMessage
    from tests.integration.lambda_functions import DeadLetterQueue

UPSTREAM = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SPANS = {
    "audit_batches": ("audit_batches", SpanKind.INTERNAL),
    "check_health": ("check_health", SpanKind.INTERNAL),
    "batch_status": ("GET", SpanKind.SERVER),
    "expire_batches": ("expire_batches", SpanKind.INTERNAL),
    "migrate_database": ("migrate_database", SpanKind.INTERNAL),
    "operator_api": ("POST", SpanKind.SERVER),
    "provision_content": ("process els-provision-content", SpanKind.CONSUMER),
    "publish_outbox": ("publish_outbox", SpanKind.INTERNAL),
    "register_batch": ("process els-register-batch", SpanKind.CONSUMER),
    "steer_batch": ("process els-steer-batch", SpanKind.CONSUMER),
}
RELAY = "internal publish_outbox"
CALLS = {SpanKind.CLIENT, SpanKind.PRODUCER}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    return recorded_spans(monkeypatch)


def the(spans: InMemorySpanExporter) -> ReadableSpan:
    """Return the span of the invocation, without those of its calls."""
    [span] = [span for span in spans.get_finished_spans() if span.kind not in CALLS]
    return span


def traced_event() -> dict[str, Any]:
    """Return two messages, of which the first names the trace of its producer."""
    event = example_event("provision_content")
    body = json.loads(event["Records"][0]["body"])
    body["detail"]["metadata"]["traceparent"] = UPSTREAM
    event["Records"][0]["body"] = json.dumps(body)
    return event


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_span_of_its_name_and_kind(
    dead_letter_queue: DeadLetterQueue, spans: InMemorySpanExporter, function: str
) -> None:
    call(function, {} if function == "migrate_database" else example_event(function))
    assert (the(spans).name, the(spans).kind) == SPANS[function]
    assert dead_letter_queue.messages() == []


def test_an_invocation_is_linked_to_the_traces_of_its_messages(
    dead_letter_queue: DeadLetterQueue, spans: InMemorySpanExporter
) -> None:
    call("provision_content", traced_event())
    [link] = the(spans).links
    assert f"00-{link.context.trace_id:032x}-{link.context.span_id:016x}-01" == UPSTREAM
    assert dict(link.attributes or {}) == {"els.batch_id": "batch-1"}
    assert dict(the(spans).attributes or {}) == {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "els-provision-content",
        "messaging.batch.message_count": 2,
    }
    assert dead_letter_queue.messages() == []


def test_the_calls_of_the_stores_are_client_spans_inside_the_invocation(
    dead_letter_queue: DeadLetterQueue, spans: InMemorySpanExporter
) -> None:
    call("provision_content", example_event("provision_content"))
    calls = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    assert {span.name: dict(span.attributes or {}) for span in calls} == {
        "EVALSHA propose": {
            "db.system.name": "redis",
            "db.operation.name": "EVALSHA",
            "db.stored_procedure.name": "propose",
        },
        "run a transaction": {"db.system.name": "postgresql", "db.query.summary": "run a transaction"},
    }
    for span in calls:
        assert span.parent is not None
        assert span.parent.span_id == the(spans).context.span_id
    assert dead_letter_queue.messages() == []


def test_a_request_has_what_the_conventions_for_servers_ask_for(
    dead_letter_queue: DeadLetterQueue, spans: InMemorySpanExporter
) -> None:
    call("batch_status", example_event("batch_status"))
    assert dict(the(spans).attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/batches/{batch_id}",
        "url.path": "/batches/batch-1",
        "url.scheme": "https",
        "http.response.status_code": 404,
    }
    assert the(spans).status.status_code is StatusCode.UNSET, "404 is the caller's"
    assert dead_letter_queue.messages() == []


def test_a_store_that_fails_shows_in_the_span_of_its_call(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ZeroDivisionError), postgres_calls("divide"):
        raise ZeroDivisionError
    [span] = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {})["error.type"] == "ZeroDivisionError"


def test_one_essay_can_be_followed_from_its_announcement_to_the_final_result(
    dead_letter_queue: DeadLetterQueue, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its producer's trace leads to the invocation whose context the result carries through the outbox."""
    call("register_batch", example_event("register_batch"))
    with monkeypatch.context() as unavailable:
        unavailable.setattr(EventBridgePublisher, "_put", refuse)
        call("provision_content", traced_event())
    before = spans.get_finished_spans()
    deciding = {span.name: span for span in before}["process els-provision-content"]
    monkeypatch.setattr(PublishOutbox.__init__, "__defaults__", (timedelta(0),))
    spans.clear()
    sent: list[str] = []
    monkeypatch.setattr(EventBridgePublisher, "_entry", keeping(sent, EventBridgePublisher._entry))  # noqa: SLF001
    call("publish_outbox", example_event("publish_outbox"))
    [link] = deciding.links
    assert f"00-{link.context.trace_id:032x}-{link.context.span_id:016x}-01" == UPSTREAM
    assert deciding.context is not None
    carried = f"00-{deciding.context.trace_id:032x}-{deciding.context.span_id:016x}"
    contexts = [json.loads(detail)["metadata"]["traceparent"] for detail in sent]
    assert [context.rpartition("-")[0] for context in contexts] == [carried] * 2
    sends = [span for span in spans.get_finished_spans() if span.kind is SpanKind.PRODUCER]
    assert [span.name for span in sends] == ["send outbound"] * 2  # the final result, then the others
    for span in sends:
        attributes = dict(span.attributes or {})
        assert attributes["messaging.batch.message_count"] == 1
        assert attributes["messaging.destination.name"] == "outbound"
        assert span.parent is not None
        assert span.parent.span_id == the(spans).context.span_id
        [told] = span.links
        assert told.context.span_id == deciding.context.span_id
    assert dead_letter_queue.messages() == []
    told_as_text(before, spans.get_finished_spans(), deciding)


def told_as_text(
    before: Sequence[ReadableSpan], after: Sequence[ReadableSpan], deciding: ReadableSpan
) -> None:
    """The story has the function that decided, what it asked of the stores, and the relay that told it."""
    assert deciding.context is not None
    lines = [span.to_json(indent=None) for span in (*before, *after)]
    story = story_of(read_spans(lines), "batch-1")
    shown = [" ".join(line.partition(" (")[0].split()[4:]) for line in story if " ms " in line]
    consumed, relayed = shown.index("consumer process els-provision-content 2"), shown.index(RELAY)
    assert {"client EVALSHA propose redis", "client run a transaction postgresql"} <= set(
        shown[consumed:relayed]
    )
    assert shown[relayed:].count("producer send outbound 1") == 2
    assert any(line.endswith(f"message of span {UPSTREAM.split('-')[2]}") for line in story)
    own = f"{deciding.context.span_id:016x}"
    told = {line.split()[0] for line in story if line.endswith(f"of span {own}")}
    assert told == {"BatchEssaysReady", "EssaySlotsAssigned"}
    assert story_of(read_spans(lines), "another batch") == []


def refuse(*_: object) -> None:
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def keeping(sent: list[str], entry: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same method; it also keeps the detail of each entry."""

    def keep(publisher: EventBridgePublisher, message: OutboxMessage) -> Any:
        sent.append(message.detail)
        return entry(publisher, message)

    return keep


def test_a_message_that_cannot_be_parsed_has_no_link(spans: InMemorySpanExporter) -> None:
    with invocation_span("process provision_content", SpanKind.CONSUMER, {"Records": []}):
        linking(parse_arrival)("{")
    assert list(the(spans).links) == []


def test_an_event_carries_the_trace_of_the_invocation(spans: InMemorySpanExporter) -> None:
    rejected = RegistrationRejected("b", "fingerprint", "reason", CORRELATION, 1, 1)
    with invocation_span("process register_batch", SpanKind.CONSUMER, {"Records": []}):
        [message] = JsonEventEncoder(traceparent=traceparent).encode([rejected], SystemClock().now())
    context = the(spans).context
    assert context is not None
    carried = json.loads(message.detail)["metadata"]["traceparent"]
    assert carried.startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")


def test_without_an_sdk_events_carry_no_trace() -> None:
    assert traceparent() is None
