"""Logs and metrics: a batch can be followed by its id, and nothing personal is written."""

from __future__ import annotations

import importlib
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.lambda_functions import call, example_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue

FUNCTIONS = ("register_batch", "provision_content", "expire_batches", "publish_outbox", "audit_batches")
CORRELATION = "2d9f5f5e-0000-4000-8000-000000000001"
PERSONAL = ("Min uppsats", "empty.txt", "Write about a place", "teacher-1")


@pytest.fixture
def logs(dead_letter_queue: DeadLetterQueue) -> Iterator[StringIO]:
    buffer = StringIO()
    handlers = [
        importlib.import_module(f"functions.{name}.handler").telemetry.logger.registered_handler
        for name in FUNCTIONS
    ]
    before = [handler.setStream(buffer) for handler in handlers]
    yield buffer
    for handler, stream in zip(handlers, before, strict=True):
        handler.setStream(stream)
    assert dead_letter_queue.messages() == []


def log_lines(logs: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.getvalue().splitlines()]


def batch_lines(logs: StringIO) -> list[tuple[str, str, str]]:
    return [
        (line["message"], line["outcome"], line["correlation_id"])
        for line in log_lines(logs)
        if line.get("batch_id") == "batch-1"
    ]


def test_every_log_line_about_a_batch_has_its_id_correlation_and_outcome(logs: StringIO) -> None:
    call("provision_content", example_event("provision_content"))
    call("register_batch", example_event("register_batch"))
    call("provision_content", example_event("provision_content"))
    assert batch_lines(logs) == [
        ("arrivals decided", "parked", CORRELATION),
        ("registration decided", "opened", CORRELATION),
        ("parked arrivals decided", "assigned", CORRELATION),
        ("parked arrivals decided", "failed", CORRELATION),
        ("batch closed", "ready", CORRELATION),
        ("arrivals decided", "duplicate", CORRELATION),
    ]
    assert {line["level"] for line in log_lines(logs)} == {"INFO"}


def test_retried_messages_are_logged_with_their_batch_and_the_fault(
    logs: StringIO, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.stop()
    try:
        call("register_batch", example_event("register_batch"))
        call("provision_content", example_event("provision_content"))
    finally:
        postgres.start()
    assert batch_lines(logs) == [
        ("registrations come back", "comes_back", CORRELATION),
        ("arrivals come back", "comes_back", CORRELATION),
    ]
    [fault, _] = [line for line in log_lines(logs) if line["message"] == "fault"]
    assert fault["error_code"] == "EXTERNAL_SERVICE_UNAVAILABLE"
    assert metrics(capsys.readouterr().out)["Faults"] == 2


def test_metrics_are_counted_by_outcome_and_never_by_batch(
    logs: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    call("register_batch", example_event("register_batch"))
    call("provision_content", example_event("provision_content"))
    call("expire_batches", example_event("expire_batches"))
    call("publish_outbox", example_event("publish_outbox"))
    call("audit_batches", example_event("audit_batches"))
    out = capsys.readouterr().out
    counted = metrics(out)
    assert {"Assigned": 1, "Failed": 1, "BatchReady": 1, "RegistrationOpened": 1}.items() <= counted.items()
    assert "batch-1" not in out
    assert logs.getvalue()


def metrics(out: str) -> dict[str, float]:
    """Add up the embedded metrics, and check that the batch is no dimension."""
    total: dict[str, float] = {}
    for line in out.splitlines():
        blob = json.loads(line)
        [directive] = blob["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] in ([["service"]], [["function_name", "service"]])
        for metric in directive["Metrics"]:
            total[metric["Name"]] = total.get(metric["Name"], 0) + sum(blob[metric["Name"]])
    return total


def test_no_file_name_text_or_instruction_is_logged(
    logs: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for function in ("provision_content", "register_batch", "provision_content", "expire_batches"):
        call(function, example_event(function))
    everything = logs.getvalue() + capsys.readouterr().out
    assert [text for text in PERSONAL if text in everything] == []
    assert "batch-1" in everything
