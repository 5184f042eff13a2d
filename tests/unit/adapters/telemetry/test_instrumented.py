"""What the decorator adds to every handler: a span, Lambda's context in each line, flushed metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from els_core.adapters.telemetry.grouped_lines import MAX_ERRORS
from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.domain.errors import ExternalServiceError
from tests.telemetry_output import captured_log, lines_of, metrics_of, recorded_spans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

ARN = "arn:aws:sqs:eu-north-1:123456789012:els-provision-content"

PERSONAL = "Anna 850101-1234.txt"


@dataclass
class Context:
    """The part of LambdaContext that the logger reads."""

    function_name: str = "els"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn"
    aws_request_id: str = "request-1"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    return recorded_spans(monkeypatch)


@pytest.fixture
def log() -> Iterator[StringIO]:
    with captured_log() as log:
        yield log


def invoke(event: dict[str, Any], kind: SpanKind, fault: Exception | None = None) -> int:
    telemetry = Telemetry()
    context: Any = Context()

    @telemetry.instrumented("the name", kind)
    def handle(event: dict[str, Any], context: LambdaContext) -> int:
        telemetry.logger.info("working", function=context.function_name)
        if fault:
            raise fault
        return len(event)

    return handle(event, context)


def the(spans: InMemorySpanExporter) -> ReadableSpan:
    [span] = spans.get_finished_spans()
    return span


def test_a_handler_keeps_its_answer_and_its_name(
    log: StringIO, capsys: pytest.CaptureFixture[str], spans: InMemorySpanExporter
) -> None:
    assert invoke({"a": 1}, SpanKind.INTERNAL) == 1
    [line] = lines_of(log)
    assert (line["message"], line["function_request_id"], line["service"]) == ("working", "request-1", "els")
    assert metrics_of(capsys.readouterr().out) == {"Faults": 0}
    assert (the(spans).name, the(spans).kind) == ("the name", SpanKind.INTERNAL)


def test_a_handler_that_raises_is_logged_counted_traced_and_raises(
    log: StringIO, capsys: pytest.CaptureFixture[str], spans: InMemorySpanExporter
) -> None:
    with pytest.raises(ExternalServiceError):
        invoke({}, SpanKind.INTERNAL, ExternalServiceError("read", service="Postgres"))
    [_, line] = lines_of(log)
    assert (line["level"], line["message"]) == ("ERROR", "fault")
    assert line["error_code"] == "EXTERNAL_SERVICE_UNAVAILABLE"
    assert "Postgres" in line["reason"]
    assert metrics_of(capsys.readouterr().out) == {"Faults": 1}
    assert the(spans).status.status_code is StatusCode.ERROR
    assert [event.name for event in the(spans).events] == ["exception"]


@pytest.mark.fault(39)
def test_a_fault_is_logged_with_its_frames_and_without_a_message_that_is_not_ours(log: StringIO) -> None:
    def reject(name: str) -> None:
        raise ValueError(f"{name} is odd")

    fault = ExternalServiceError("read", service="Postgres")
    try:
        reject(PERSONAL)
    except ValueError as cause:
        fault.__cause__ = cause
        Telemetry().fault(cause)
    Telemetry().fault(fault)
    alone, chained = lines_of(log)
    assert PERSONAL not in log.getvalue()
    assert (alone["error_code"], alone["reason"]) == ("UNEXPECTED", "ValueError was raised")
    assert "in reject" in alone["exception"]
    assert 'ExternalServiceError: Postgres is unavailable: "read" failed.' in chained["exception"]
    assert "ValueError: ValueError was raised" in chained["exception"]


@pytest.mark.fault(39)
def test_a_chain_of_errors_without_an_end_is_cut(log: StringIO) -> None:
    fault = ValueError("x")
    fault.__cause__ = fault
    Telemetry().fault(fault)
    [line] = lines_of(log)
    assert line["exception"].count("ValueError was raised") == MAX_ERRORS


@pytest.mark.parametrize(
    ("kind", "event", "expected"),
    [
        (SpanKind.INTERNAL, {"Records": [{}]}, {}),
        (SpanKind.SERVER, {}, {"url.scheme": "https"}),
        (
            SpanKind.SERVER,
            {"routeKey": "GET /b/{id}", "rawPath": "/b/7"},
            {
                "url.scheme": "https",
                "url.path": "/b/7",
                "http.request.method": "GET",
                "http.route": "/b/{id}",
            },
        ),
        (SpanKind.CONSUMER, {"Records": []}, {"messaging.batch.message_count": 0}),
        (SpanKind.CONSUMER, {"Records": None}, {"messaging.batch.message_count": 0}),
        (SpanKind.CONSUMER, {"Records": [None]}, {"messaging.batch.message_count": 1}),
        (SpanKind.CONSUMER, {"Records": [{"eventSourceARN": 7}]}, {"messaging.batch.message_count": 1}),
        (SpanKind.CONSUMER, {"Records": [{}, {}]}, {"messaging.batch.message_count": 2}),
        (
            SpanKind.CONSUMER,
            {"Records": [{"eventSourceARN": ARN}]},
            {
                "messaging.batch.message_count": 1,
                "messaging.destination.name": "els-provision-content",
            },
        ),
    ],
)
def test_a_consumer_names_its_queue_and_its_messages_and_a_server_its_route(
    log: StringIO,
    spans: InMemorySpanExporter,
    kind: SpanKind,
    event: dict[str, Any],
    expected: dict[str, str | int],
) -> None:
    invoke(event, kind)
    messaging = {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
    }
    assert dict(the(spans).attributes or {}) == expected | (messaging if kind is SpanKind.CONSUMER else {})
    assert the(spans).kind is kind
    assert log.getvalue()


@pytest.mark.parametrize(("status", "expected"), [(404, StatusCode.UNSET), (503, StatusCode.ERROR)])
def test_only_an_answer_that_is_the_fault_of_the_server_is_an_error(
    log: StringIO, spans: InMemorySpanExporter, status: int, expected: StatusCode
) -> None:
    @Telemetry().instrumented("GET /", SpanKind.SERVER)
    def handle(_event: dict[str, Any], _context: Any) -> dict[str, int]:
        return {"statusCode": status}

    context: Any = Context()
    assert handle({}, context) == {"statusCode": status}
    assert the(spans).status.status_code is expected
    assert dict(the(spans).attributes or {})["http.response.status_code"] == status
    assert log.getvalue() == ""
