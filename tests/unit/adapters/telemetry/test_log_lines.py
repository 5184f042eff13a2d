"""The log lines of each use case: which batch, whose, and what became of it; never a file name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.application.signals import of_arrival
from els_core.domain.audit import FindingKind
from els_core.domain.batches import Status
from tests.factories import CORRELATION
from tests.telemetry_output import captured_log, lines_of
from tests.unit.adapters.telemetry.results import (
    COMMANDS,
    arrivals_consumed,
    audit_report,
    awaited,
    commands_consumed,
    description,
    migrate_and_fail,
    registrations_consumed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.batch_status import BatchDescription


def lines(write: Callable[[Telemetry], object]) -> list[dict[str, Any]]:
    telemetry = Telemetry()
    with captured_log() as log:
        write(telemetry)
    return lines_of(log)


def about_batches(write: Callable[[Telemetry], object]) -> list[tuple[str, str, str]]:
    found = [line for line in lines(write) if "batch_id" in line]
    assert {line["correlation_id"] for line in found} == {CORRELATION}
    return [(line["message"], line["batch_id"], line["outcome"]) for line in found]


def test_arrivals_have_a_line_per_batch_and_outcome() -> None:
    assert about_batches(lambda telemetry: telemetry.arrivals_consumed(arrivals_consumed())) == [
        ("arrivals decided", "b", "assigned"),
        ("arrivals decided", "b", "failed"),
        ("arrivals decided", "b", "excess"),
        ("arrivals decided", "b", "late"),
        ("arrivals decided", "b", "duplicate"),
        ("arrivals decided", "b", "parked"),
        ("arrivals decided", "b", "superseded"),
        ("arrivals decided", "b", "rejected_by_store"),
        ("arrivals decided", "b", "not_reached"),
        ("batch closed", "b", "ready"),
        ("batch closed", "b", "failed"),
        ("batch closed", "b", "timed_out"),
        ("batch closed", "b", "cancelled"),
        ("arrivals retried", "b", "retried"),
    ]


def test_arrivals_of_one_batch_and_outcome_share_a_line() -> None:
    consumed = arrivals_consumed()
    [(arrivals, report)] = consumed.reports
    thrice = replace(report, outcomes=[*report.outcomes] * 3)
    consumed.reports[:] = [([*arrivals] * 3, thrice)]
    counts = [
        (line["outcome"], line["count"])
        for line in lines(lambda telemetry: telemetry.arrivals_consumed(consumed))
        if line["message"] == "arrivals decided"
    ]
    assert counts == [(of_arrival(outcome).word, 3) for outcome in report.outcomes]


def test_commands_have_a_line_with_their_name_and_answer_and_never_say_who_commands() -> None:
    lines = about_batches(lambda telemetry: telemetry.commands_consumed(commands_consumed()))
    assert lines == [
        *(("command judged", "b", f"close {word}") for word in COMMANDS),
        ("batch closed", "b", "cancelled"),
        ("commands retried", "b", "retried"),
    ]


def test_registrations_have_a_line_each_and_their_parked_arrivals_too() -> None:
    assert about_batches(lambda telemetry: telemetry.registrations_consumed(registrations_consumed())) == [
        ("registration decided", "b0", "opened"),
        ("registration decided", "b1", "repeated"),
        ("registration decided", "b2", "rejected"),
        ("registration decided", "b3", "rejected_by_store"),
        ("registration decided", "b4", "not_reached"),
        ("parked arrivals decided", "b0", "assigned"),
        ("parked arrivals could not be decided", "b1", "parked"),
        ("registrations retried", "b0", "retried"),
    ]


def test_a_dead_letter_is_called_sent_only_when_its_queue_accepted_it() -> None:
    found = [
        (line["message"], line["message_id"], line["error_code"], line["field"], line["reason"])
        for line in lines(lambda telemetry: telemetry.arrivals_consumed(arrivals_consumed()))
        if "message_id" in line
    ]
    assert found == [
        ("message sent to dead-letter queue", "m1", "BAD", "body", "bad"),
        ("message refused by dead-letter queue", "m2", "BAD", "body", "bad"),
    ]


def test_every_fault_has_a_line_with_its_code() -> None:
    found = [
        (line["level"], line["error_code"])
        for line in lines(lambda telemetry: telemetry.arrivals_consumed(arrivals_consumed()))
        if line["message"] == "fault"
    ]
    assert found == [("ERROR", "EXTERNAL_SERVICE_UNAVAILABLE")] * 2  # one of the bus, one of the call


def test_an_audit_has_a_line_per_finding_and_says_what_its_repairs_did() -> None:
    found = lines(lambda telemetry: telemetry.audit_finished(audit_report()))
    findings = [line["outcome"] for line in found if line["message"] == "audit finding"]
    assert findings == [kind.value for kind in FindingKind]
    assert [line["repaired"] for line in found if "repaired" in line] == [True] + [False] * (
        len(findings) - 1
    )
    assert [line["message"] for line in found if line["level"] == "INFO"] == [
        "audit finished",
        "batch closed",
        "outbox published",
    ]


@pytest.mark.parametrize(
    ("known", "outcome", "correlation_id", "status"),
    [
        (description(Status.READY), "found", CORRELATION, "ready"),
        (awaited(), "found", None, "awaited"),
        (None, "not_found", None, None),
    ],
)
def test_a_status_request_has_one_line(
    known: BatchDescription | None, outcome: str, correlation_id: str | None, status: str | None
) -> None:
    [line] = lines(lambda telemetry: telemetry.status_read("batch-1", known))
    assert (line["message"], line["batch_id"], line["outcome"]) == ("batch status read", "batch-1", outcome)
    assert (line.get("correlation_id"), line.get("status")) == (correlation_id, status)


def test_a_migration_has_a_line_with_its_revision_or_its_failure() -> None:
    [line] = lines(lambda telemetry: telemetry.migration(lambda: "0001")())
    assert (line["message"], line["revision"]) == ("migration succeeded", "0001")

    def fail(telemetry: Telemetry) -> None:
        with pytest.raises(ConnectionError):
            telemetry.migration(migrate_and_fail)()

    [line] = lines(fail)
    assert (line["message"], line["reason"], line["level"]) == ("migration failed", "no database", "ERROR")
    assert "migrate_and_fail" in line["exception"]
