"""Logs and metrics: a batch can be followed by its id, and nothing personal is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.domain.errors import ExternalServiceError
from tests.integration.lambda_functions import call, example_event
from tests.telemetry_output import captured_log, lines_of, metrics_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO

    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue

CORRELATION = "2d9f5f5e-0000-4000-8000-000000000001"
PERSONAL = ("Min uppsats", "empty.txt", "Write about a place", "teacher-1")


@pytest.fixture
def log(dead_letter_queue: DeadLetterQueue) -> Iterator[StringIO]:
    with captured_log() as log:
        yield log
    assert dead_letter_queue.messages() == []


def about_batch(log: StringIO) -> list[tuple[str, str, str]]:
    return [
        (line["message"], line["outcome"], line["correlation_id"])
        for line in lines_of(log)
        if line.get("batch_id") == "batch-1"
    ]


def test_every_line_about_a_batch_has_its_id_its_correlation_id_and_the_outcome(log: StringIO) -> None:
    call("provision_content", example_event("provision_content"))
    call("register_batch", example_event("register_batch"))
    call("provision_content", example_event("provision_content"))
    call("batch_status", example_event("batch_status"))
    assert about_batch(log) == [
        ("arrivals decided", "parked", CORRELATION),
        ("registration decided", "opened", CORRELATION),
        ("parked arrivals decided", "assigned", CORRELATION),
        ("parked arrivals decided", "failed", CORRELATION),
        ("batch closed", "ready", CORRELATION),
        ("arrivals decided", "duplicate", CORRELATION),
        ("batch status read", "found", CORRELATION),
    ]
    assert {line["level"] for line in lines_of(log)} == {"INFO"}


def test_arrivals_and_registrations_that_are_retried_have_their_lines_too(
    log: StringIO, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.stop()
    try:
        call("register_batch", example_event("register_batch"))
        call("provision_content", example_event("provision_content"))
    finally:
        postgres.start()
    assert about_batch(log) == [
        ("registrations retried", "retried", CORRELATION),
        ("arrivals retried", "retried", CORRELATION),
    ]
    faults = [line["error_code"] for line in lines_of(log) if line["message"] == "fault"]
    assert faults == ["EXTERNAL_SERVICE_UNAVAILABLE"] * 2
    counted = metrics_of(capsys.readouterr().out)
    assert {"Faults": 2, "MessagesRetried": 3}.items() <= counted.items()


def test_a_fault_that_ends_an_invocation_is_logged_and_counted_before_it_is_raised(
    log: StringIO, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = ("batch_status", "expire_batches", "publish_outbox", "audit_batches")
    postgres.stop()
    try:
        for function in functions[1:]:
            with pytest.raises(ExternalServiceError):
                call(function, example_event(function))
        assert call(functions[0], example_event(functions[0]))["statusCode"] == 503  # a caller gets an answer
    finally:
        postgres.start()
    found = [(line["message"], line["error_code"]) for line in lines_of(log)]
    assert found == [("fault", "EXTERNAL_SERVICE_UNAVAILABLE")] * len(functions)
    assert metrics_of(capsys.readouterr().out)["Faults"] == len(functions)


def test_metrics_count_by_outcome_and_never_by_batch(
    log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for function in (
        "batch_status",
        "register_batch",
        "provision_content",
        "batch_status",
        "expire_batches",
        "publish_outbox",
        "audit_batches",
        "check_health",
    ):
        call(function, example_event(function))
    out = capsys.readouterr().out
    counted = metrics_of(out)
    assert {
        "Assigned": 1,
        "Failed": 1,
        "BatchReady": 1,
        "RegistrationOpened": 1,
        "StatusNotFound": 1,
        "StatusFound": 1,
        "Faults": 0,
    }.items() <= counted.items()
    assert "batch-1" not in out
    assert [line["outcome"] for line in lines_of(log) if line["message"] == "batch status read"] == [
        "not_found",
        "found",
    ]


def test_no_name_of_a_file_no_text_and_no_instructions_are_written(
    log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for function in ("provision_content", "register_batch", "provision_content", "expire_batches"):
        call(function, example_event(function))
    call("batch_status", example_event("batch_status"))
    everything = log.getvalue() + capsys.readouterr().out
    assert [secret for secret in PERSONAL if secret in everything] == []
    assert "batch-1" in everything
