"""The audit finds every planted fault and nothing else, and repairs what is safe to repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.postgres.audit_reader import PostgresAuditReader
from els_core.adapters.postgres.session import Session
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.application.audit_batches import PAGE, AuditBatches
from els_core.domain.audit import Finding, FindingKind
from tests.factories import content, failure, registration
from tests.integration.environment import PARKING, RETENTION, Environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.application.audit_batches import AuditReport


class LaterClock:
    """A clock that is ahead of the clock of the environment by the retention."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def now(self) -> datetime:
        return self._environment.clock.now() + RETENTION


class AuditedEnvironment(Environment):
    """An environment with an audit, in which time passes by making the stored timestamps older."""

    def __init__(self, database_url: str, valkey: ValkeyServer, postgres: PostgresServer) -> None:
        super().__init__(database_url, valkey.url)
        self.inspector = RedisCoordinator(self.redis, RETENTION)
        self._postgres = postgres

    def sql(self, statement: str) -> list[list[Any]]:
        return self._postgres.execute(statement, database=str(self.engine.url.database))

    def let_time_pass(self) -> None:
        for change in (
            "UPDATE batches SET changed_at = changed_at - interval '1 hour'",
            "UPDATE outbox SET created_at = created_at - interval '1 hour'",
            "UPDATE parked_arrivals SET parked_at = parked_at - interval '1 hour'",
        ):
            self.sql(change)

    def audit(self, *, repair: bool = False, may_continue: bool = True) -> AuditReport:
        audit = AuditBatches(
            PostgresAuditReader(Session(self.engine)),
            self.inspector,
            self.coordinator,
            LaterClock(self),
            lambda: self.expire_batches,
            lambda: self.publish_outbox,
            PARKING,
        )
        return audit.run(lambda: may_continue, repair=repair)

    def findings(self) -> list[FindingKind]:
        """Audit and return the kinds of the findings."""
        return [finding.kind for finding in self.audit().findings]

    def repair(self) -> list[Finding]:
        """Audit with repair and return what is still wrong."""
        return self.audit(repair=True).open_findings


@pytest.fixture
def environment(
    database_url: str, valkey: ValkeyServer, postgres: PostgresServer
) -> Iterator[AuditedEnvironment]:
    environment = AuditedEnvironment(database_url, valkey, postgres)
    environment.register(registration(3))
    environment.provision(content("a"), failure("f"))
    environment.register(registration(1, "closed"))
    environment.provision(content("c", "closed"))
    yield environment
    environment.close()


def test_a_healthy_service_has_no_findings(environment: AuditedEnvironment) -> None:
    environment.let_time_pass()
    audit = environment.audit()
    assert (audit.findings, audit.batches, audit.unchecked) == ([], 1, False)


def test_a_batch_that_changed_a_moment_ago_is_not_compared(
    environment: AuditedEnvironment, valkey: ValkeyServer
) -> None:
    valkey.client().flushall()
    assert environment.audit().findings == []


def test_a_batch_that_redis_lost_is_found_and_repaired(
    environment: AuditedEnvironment, valkey: ValkeyServer
) -> None:
    environment.let_time_pass()
    valkey.client().flushall()
    assert environment.findings() == [FindingKind.REDIS_FORGOT]
    assert environment.repair() == []
    assert environment.findings() == []
    assert len(environment.coordinator.get_missing_slots("b")) == 1


def test_a_used_slot_that_redis_calls_free_is_found_and_repaired(
    environment: AuditedEnvironment, valkey: ValkeyServer
) -> None:
    environment.let_time_pass()
    [used] = environment.inspector.get_assigned_essays("b")
    with valkey.client() as client:
        client.sadd("batch:{b}:available_slots", used.essay_id)
    assert environment.findings() == [FindingKind.REDIS_DIFFERS]
    assert environment.repair() == []
    assert environment.findings() == []


def test_an_uncommitted_proposal_is_found_and_its_slot_freed(environment: AuditedEnvironment) -> None:
    environment.let_time_pass()
    environment.inspector.propose([content("died")], environment.clock.now())
    assert environment.findings() == [FindingKind.UNCOMMITTED_PROPOSALS]
    assert environment.repair() == []
    assert len(environment.inspector.get_missing_slots("b")) == 1


def test_a_recent_proposal_may_still_commit_and_is_no_finding(environment: AuditedEnvironment) -> None:
    environment.let_time_pass()
    environment.inspector.propose([content("on-its-way")], environment.clock.now() + RETENTION)
    assert environment.findings() == []


def test_an_overdue_batch_that_no_sweep_closed_is_found_and_closed(environment: AuditedEnvironment) -> None:
    environment.sql("UPDATE batches SET deadline = deadline - interval '1 day' WHERE batch_id = 'b'")
    assert environment.findings() == [FindingKind.OVERDUE_OPEN]
    assert environment.repair() == []
    assert environment.bus.event_counts()["BatchReadinessTimeout"] == 1


def test_an_event_that_no_relay_published_is_found_and_published(environment: AuditedEnvironment) -> None:
    environment.bus.is_down = True
    environment.provision(content("b"))
    environment.let_time_pass()
    environment.bus.is_down = False
    assert environment.findings() == [FindingKind.OUTBOX_TOO_OLD, FindingKind.OUTBOX_TOO_OLD]
    assert environment.repair() == []
    assert environment.findings() == []


def test_arrivals_parked_for_too_long_are_found_and_kept(environment: AuditedEnvironment) -> None:
    environment.provision(content("x", "never"), content("y", "never"))
    environment.let_time_pass()
    [finding] = environment.repair()
    assert (finding.kind, finding.batch_id) == (FindingKind.PARKED_TOO_LONG, "never")
    assert finding.detail == "2 arrivals or more wait for a registration"
    assert environment.sql("SELECT count(*) FROM parked_arrivals") == [[2]]


def test_wrong_counts_and_digests_are_found_and_left_to_people(environment: AuditedEnvironment) -> None:
    environment.sql("UPDATE essays SET text_storage_id = 'swapped' WHERE batch_id = 'closed'")
    environment.sql("UPDATE batches SET assigned_count = 0 WHERE batch_id = 'b'")
    found = {(finding.kind, finding.batch_id) for finding in environment.repair()}
    assert found == {(FindingKind.DIGEST_DIFFERS, "closed"), (FindingKind.COUNTS_DIFFER, "b")}


def test_every_page_is_audited_unless_time_runs_short(
    environment: AuditedEnvironment, valkey: ValkeyServer
) -> None:
    environment.register(*(registration(1, f"b{number}") for number in range(PAGE)))
    environment.let_time_pass()
    valkey.client().flushall()
    environment.sql("UPDATE essays SET text_storage_id = 'swapped' WHERE batch_id = 'closed'")
    audit = environment.audit()
    assert (audit.batches, audit.unchecked) == (PAGE + 1, False)
    assert audit.counts() == dict.fromkeys(FindingKind, 0) | {
        FindingKind.REDIS_FORGOT: PAGE + 1,
        FindingKind.DIGEST_DIFFERS: 1,
    }
    assert environment.audit(may_continue=False).unchecked
