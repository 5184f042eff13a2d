"""`make ask`: what is wrong comes first, and each answer names its batch and its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dev.demo.questions import NO_REASON, dead, health, stuck, told
from els_core.application.check_health import HealthReport
from els_core.application.ports.health import Backlog, QueueDepth
from els_core.application.ports.reading import Announcement
from els_core.domain.audit import Finding, FindingKind
from els_core.domain.batches import Status
from tests.factories import NOW
from tests.unit.adapters.telemetry.results import description, health_report

if TYPE_CHECKING:
    from els_core.application.batch_status import BatchDescription

QUIET = Backlog(3, 0, 0, 0, 2, 0, 1, 0, 0, 0, 12.4, None)
WELL = HealthReport(
    QUIET, [QueueDepth("q", 5, 0, is_dead_letter_queue=False)], is_redis_up=True, is_event_bus_up=True
)


def ended(announcement: Announcement | None) -> BatchDescription:
    found = description(Status.READY)
    return replace(found, overview=replace(found.overview, announcement=announcement))


def test_a_healthy_system_says_so_with_its_figures() -> None:
    assert list(health(WELL)) == [
        "yes",
        "open batches: 3, parked arrivals: 2, unsent events: 1",
        "the sweep ran 12 s ago, the relay never",
    ]


def test_everything_that_is_wrong_is_named_first() -> None:
    assert next(iter(health(HealthReport()))) == (
        "no: Postgres does not answer, Redis does not answer, "
        "the outbound bus does not answer, SQS does not answer"
    )
    assert next(iter(health(health_report()))) == "no: late batches: 2, stuck batches: 3, dead letters: 1"


def test_a_stuck_batch_has_its_reason_and_a_waiting_one_says_for_what() -> None:
    finding = Finding(FindingKind.OVERDUE_OPEN, "b-1", "open for an hour")
    assert list(stuck([finding], [description(Status.OPEN), description(Status.READY)])) == [
        "b-1  overdue_open: open for an hour",
        "b  a sentence",
    ]
    assert list(stuck([], [])) == ["none that the audit knows"]


def test_a_dead_letter_says_why_it_is_one() -> None:
    attributes = {"error_code": {"StringValue": "MISSING_FIELD"}, "reason": {"StringValue": "required"}}
    body = '{"source": "file-service", "detail-type": "Mistyped", "detail": {"data": "secret"}}'
    bodies = [body, "no JSON: secret", '["secret"]']
    letters: list[dict[str, Any]] = [{"Body": body, "MessageAttributes": attributes}]
    letters += [{"Body": each} for each in bodies]
    assert list(dead("provision_content", letters)) == [
        "provision_content: 4",
        "  Mistyped of file-service  MISSING_FIELD, required",
        f"  Mistyped of file-service  {NO_REASON}",
        f"  no event  {NO_REASON}",
        f"  no event  {NO_REASON}",
    ]
    assert list(dead("register_batch", [])) == ["register_batch: nothing"]


def test_a_result_says_when_it_was_told_first() -> None:
    sent = Announcement(UUID(int=1), "BatchEssaysReady", NOW, None)
    unsent = replace(sent, first_sent_at=None, unsent_since=NOW)
    assert list(told([ended(sent), ended(unsent), ended(None)])) == [
        f"b  {NOW:%Y-%m-%d %H:%M:%S} UTC: a sentence",
        "b  not yet: a sentence",
    ]
