"""What the functions write: a batch can be followed by its id, and no pupil can be found."""

from __future__ import annotations

import importlib
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_handlers import Queue, call, dead_letters, event_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer

__all__ = ["dead_letters"]
FUNCTIONS = ("register_batch", "provision_content", "expire_batches", "publish_outbox", "audit_batches")
CORRELATION = "2d9f5f5e-0000-4000-8000-000000000001"
PRIVATE = ("Min uppsats", "empty.txt", "Write about a place", "teacher-1")


@pytest.fixture
def written(dead_letters: Queue) -> Iterator[StringIO]:
    buffer = StringIO()
    handlers = [
        importlib.import_module(f"functions.{name}.handler").telemetry.logger.registered_handler
        for name in FUNCTIONS
    ]
    before = [handler.setStream(buffer) for handler in handlers]
    yield buffer
    for handler, stream in zip(handlers, before, strict=True):
        handler.setStream(stream)
    assert dead_letters.messages() == []


def lines(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def told(written: StringIO) -> list[tuple[str, str, str]]:
    return [
        (line["message"], line["outcome"], line["correlation_id"])
        for line in lines(written)
        if line.get("batch_id") == "batch-1"
    ]


def test_every_line_about_a_batch_says_which_whose_and_what_became_of_it(written: StringIO) -> None:
    call("provision_content", event_of("provision_content"))
    call("register_batch", event_of("register_batch"))
    call("provision_content", event_of("provision_content"))
    assert told(written) == [
        ("arrivals decided", "parked", CORRELATION),
        ("registration decided", "opened", CORRELATION),
        ("parked arrivals decided", "assigned", CORRELATION),
        ("parked arrivals decided", "failed", CORRELATION),
        ("batch closed", "ready", CORRELATION),
        ("arrivals decided", "duplicate", CORRELATION),
    ]
    assert {line["level"] for line in lines(written)} == {"INFO"}


def test_a_batch_whose_arrivals_come_back_is_named_too(
    written: StringIO, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.stop()
    try:
        call("register_batch", event_of("register_batch"))
        call("provision_content", event_of("provision_content"))
    finally:
        postgres.start()
    assert told(written) == [
        ("registrations come back", "comes_back", CORRELATION),
        ("arrivals come back", "comes_back", CORRELATION),
    ]
    [fault, _] = [line for line in lines(written) if line["message"] == "fault"]
    assert fault["error_code"] == "EXTERNAL_SERVICE_UNAVAILABLE"
    assert metrics(capsys.readouterr().out)["Faults"] == 2


def test_metrics_count_by_outcome_and_never_by_batch(
    written: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    call("register_batch", event_of("register_batch"))
    call("provision_content", event_of("provision_content"))
    call("expire_batches", event_of("expire_batches"))
    call("publish_outbox", event_of("publish_outbox"))
    call("audit_batches", event_of("audit_batches"))
    out = capsys.readouterr().out
    counted = metrics(out)
    assert {"Assigned": 1, "Failed": 1, "BatchReady": 1, "RegistrationOpened": 1}.items() <= counted.items()
    assert "batch-1" not in out
    assert written.getvalue()


def metrics(out: str) -> dict[str, float]:
    """Add up the embedded metrics, and see that their dimensions are the service's only."""
    total: dict[str, float] = {}
    for line in out.splitlines():
        blob = json.loads(line)
        [directive] = blob["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] in ([["service"]], [["function_name", "service"]])
        for metric in directive["Metrics"]:
            total[metric["Name"]] = total.get(metric["Name"], 0) + sum(blob[metric["Name"]])
    return total


def test_no_name_of_a_file_no_text_and_no_instructions_are_written(
    written: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for function in ("provision_content", "register_batch", "provision_content", "expire_batches"):
        call(function, event_of(function))
    everything = written.getvalue() + capsys.readouterr().out
    assert [secret for secret in PRIVATE if secret in everything] == []
    assert "batch-1" in everything
