"""The audit reads page by page, repairs only on request, and only what is safe to repair."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import pytest

from els_core.application.audit_batches import AuditBatches
from els_core.application.budgets import always
from els_core.domain.audit import Finding, FindingKind
from tests.factories import content, registration
from tests.unit.application.in_memory import HOUR, PARKING, InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from els_core.application.audit_batches import AuditReport
    from els_core.application.ports.audit_reader import StuckThresholds
    from els_core.domain.batches import BatchSnapshot


@dataclass
class FakeAuditReader:
    """The port `AuditReader`: returns the given findings, and one batch per page."""

    stuck: list[Finding] = field(default_factory=list)
    recounted: dict[str, Finding] = field(default_factory=dict)
    idle: list[BatchSnapshot] = field(default_factory=list)

    def find_stuck(self, thresholds: StuckThresholds, limit: int) -> list[Finding]:
        assert thresholds.parked > PARKING
        return self.stuck[:limit]

    def recount(self, window: timedelta, after: str, limit: int) -> tuple[list[Finding], str | None]:
        del window, limit
        batch_id = min((one for one in self.recounted if one > after), default=None)
        return ([self.recounted[batch_id]] if batch_id else []), batch_id

    def idle_open(self, idle: timedelta, after: str, max_slots: int) -> list[str]:
        del idle, max_slots
        return [held.batch.batch_id for held in self.idle if held.batch.batch_id > after][:1]

    def idle_snapshots(self, idle: timedelta, batch_ids: Sequence[str]) -> list[BatchSnapshot]:
        del idle
        return [held for held in self.idle if held.batch.batch_id in batch_ids]


@pytest.fixture
def environment() -> InMemoryEnvironment:
    environment = InMemoryEnvironment()
    environment.register(registration(2), registration(2, "c"))
    return environment


def audit(
    environment: InMemoryEnvironment, reader: FakeAuditReader, *, repair: bool = False, has_time: bool = True
) -> AuditReport:
    use_case = AuditBatches(
        reader,
        environment.redis,
        environment.redis,
        environment.clock,
        lambda: environment.expire_batches,
        lambda: environment.publish_outbox,
        PARKING,
    )
    return use_case.run(lambda: has_time, repair=repair)


def kinds(report: AuditReport) -> list[FindingKind]:
    return [finding.kind for finding in report.findings]


def test_a_healthy_service_has_no_finding_and_zero_of_every_kind(environment: InMemoryEnvironment) -> None:
    report = audit(environment, FakeAuditReader(idle=[environment.snapshot("b"), environment.snapshot("c")]))
    assert (report.findings, report.batches, report.unchecked) == ([], 2, False)
    assert report.counts() == dict.fromkeys(FindingKind, 0)


def test_every_page_is_compared_with_redis(environment: InMemoryEnvironment) -> None:
    reader = FakeAuditReader(idle=[environment.snapshot("b"), environment.snapshot("c")])
    environment.redis.flush()
    report = audit(environment, reader)
    assert [(one.kind, one.batch_id) for one in report.findings] == [
        (FindingKind.REDIS_FORGOT, "b"),
        (FindingKind.REDIS_FORGOT, "c"),
    ]
    assert environment.redis.get_missing_slots("b") == []


def test_repairing_installs_what_redis_has_wrong(environment: InMemoryEnvironment) -> None:
    reader = FakeAuditReader(idle=[environment.snapshot("b"), environment.snapshot("c")])
    environment.redis.flush()
    assert len(kinds(audit(environment, reader, repair=True))) == 2
    assert kinds(audit(environment, reader)) == []


def test_without_time_the_report_says_that_it_is_incomplete(environment: InMemoryEnvironment) -> None:
    report = audit(environment, FakeAuditReader(idle=[environment.snapshot("b")]), has_time=False)
    assert (report.batches, report.unchecked) == (0, True)


def test_every_page_is_recounted_and_wrong_counts_are_never_repaired(
    environment: InMemoryEnvironment,
) -> None:
    wrong = {name: Finding(FindingKind.COUNTS_DIFFER, name, "1, not 2") for name in ("b", "c")}
    before = environment.snapshot()
    report = audit(environment, FakeAuditReader(recounted=wrong), repair=True)
    assert report.findings == list(wrong.values())
    assert report.counts()[FindingKind.COUNTS_DIFFER] == 2
    assert environment.snapshot() == before


@pytest.mark.parametrize("repair", [False, True])
def test_an_overdue_batch_is_closed_only_by_a_repair(
    environment: InMemoryEnvironment, *, repair: bool
) -> None:
    environment.clock.advance(2 * HOUR)
    stuck = [Finding(FindingKind.OVERDUE_OPEN, "b", "open past its deadline")]
    audit(environment, FakeAuditReader(stuck), repair=repair)
    assert environment.snapshot().batch.status.is_terminal is repair


@pytest.mark.parametrize("repair", [False, True])
def test_an_unsent_event_is_published_only_by_a_repair(
    environment: InMemoryEnvironment, *, repair: bool
) -> None:
    environment.bus.is_down = True
    environment.provision(content("a"))
    environment.bus.is_down = False
    environment.clock.advance(HOUR)
    stuck = [Finding(FindingKind.OUTBOX_TOO_OLD, "b", "not sent")]
    audit(environment, FakeAuditReader(stuck), repair=repair)
    assert environment.published() == (["EssaySlotsAssigned"] if repair else [])


def test_a_healthy_service_starts_no_sweep_and_no_relay(environment: InMemoryEnvironment) -> None:
    def fail() -> NoReturn:
        raise AssertionError("a read-only audit needs neither")

    reader = FakeAuditReader([Finding(FindingKind.PARKED_TOO_LONG, "b", "2 arrivals")])
    use_case = AuditBatches(
        reader, environment.redis, environment.redis, environment.clock, fail, fail, PARKING
    )
    assert kinds(use_case.run(always, repair=True)) == [FindingKind.PARKED_TOO_LONG]


def test_a_missing_bus_is_found_before_everything_else(environment: InMemoryEnvironment) -> None:
    environment.bus.is_there = False
    stuck = Finding(FindingKind.OVERDUE_OPEN, "b", "open past its deadline")
    use_case = AuditBatches(
        FakeAuditReader([stuck]),
        environment.redis,
        environment.redis,
        environment.clock,
        lambda: environment.expire_batches,
        lambda: environment.publish_outbox,
        PARKING,
        environment.bus,
    )
    report = use_case.run(always)
    assert [(one.kind, one.batch_id) for one in report.findings] == [
        (FindingKind.EVENT_BUS_MISSING, None),
        (FindingKind.OVERDUE_OPEN, "b"),
    ]


@pytest.mark.fault(29)
def test_a_version_greater_than_that_of_postgres_is_found_and_replaced(
    environment: InMemoryEnvironment,
) -> None:
    metadata = environment.redis.keys_of("b").metadata
    assert metadata is not None
    environment.redis.keys_of("b").metadata = replace(metadata, version=10**6)
    reader = FakeAuditReader(idle=[environment.snapshot("b")])
    assert kinds(audit(environment, reader, repair=True)) == [FindingKind.REDIS_DIFFERS]
    assert kinds(audit(environment, reader)) == []
