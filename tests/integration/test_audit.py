"""The audit finds what is planted, heals what is safe to heal, and is silent about a healthy service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.postgres.audit_reader import PostgresAuditReader
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.application.audit_batches import PAGE, AuditBatches
from els_core.domain.audit import FindingKind
from tests.factories import content, failure, registration
from tests.integration.environment import PARKING, RETENTION, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.application.audit_batches import AuditReport


class Later:
    """A clock that stands a while after the world's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now() + RETENTION


class Audited(World):
    """A world in which a day passes by moving what is written back."""

    def __init__(self, database_url: str, valkey: ValkeyServer, postgres: PostgresServer) -> None:
        super().__init__(database_url, valkey.url)
        self.known = RedisCoordinator(self.redis, RETENTION)
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
        audit_reader = PostgresAuditReader(self.engine)
        audit = AuditBatches(
            audit_reader,
            self.known,
            self.coordinator,
            Later(self),
            lambda: self.expire,
            lambda: self.relay,
            PARKING,
        )
        return audit.run(lambda: may_continue, repair=repair)

    def kinds(self) -> list[FindingKind]:
        return [finding.kind for finding in self.audit().findings]


@pytest.fixture
def world(database_url: str, valkey: ValkeyServer, postgres: PostgresServer) -> Iterator[Audited]:
    world = Audited(database_url, valkey, postgres)
    world.register.register([registration(3)])
    world.provision.provision([content("a"), failure("f")])
    world.register.register([registration(1, "closed")])
    world.provision.provision([content("c", "closed")])
    yield world
    world.close()


def test_a_healthy_service_has_no_findings(world: Audited) -> None:
    world.let_time_pass()
    audit = world.audit()
    assert (audit.findings, audit.batches, audit.unchecked) == ([], 1, False)


def test_a_batch_that_was_touched_a_moment_ago_is_left_alone(world: Audited, valkey: ValkeyServer) -> None:
    valkey.client().flushall()
    assert world.audit().findings == []


def test_forgetting_redis_is_found_and_healed(world: Audited, valkey: ValkeyServer) -> None:
    world.let_time_pass()
    valkey.client().flushall()
    assert world.kinds() == [FindingKind.REDIS_FORGOT]
    assert world.audit(repair=True).open_findings == []
    assert world.kinds() == []
    assert len(world.coordinator.get_missing_slots("b")) == 1


def test_a_slot_that_redis_would_give_twice_is_found_and_healed(world: Audited, valkey: ValkeyServer) -> None:
    world.let_time_pass()
    [used] = world.known.get_assigned_essays("b")
    with valkey.client() as client:
        client.sadd("batch:{b}:available_slots", used.essay_id)
    assert world.kinds() == [FindingKind.REDIS_DIFFERS]
    assert world.audit(repair=True).open_findings == []
    assert world.kinds() == []


def test_a_proposal_that_never_committed_is_found_and_its_slot_given_back(world: Audited) -> None:
    world.let_time_pass()
    world.known.propose([content("died")], world.clock.now())
    assert world.kinds() == [FindingKind.UNCOMMITTED_PROPOSALS]
    assert world.audit(repair=True).open_findings == []
    assert len(world.known.get_missing_slots("b")) == 1


def test_a_proposal_of_a_moment_ago_may_still_commit(world: Audited) -> None:
    world.let_time_pass()
    world.known.propose([content("on its way")], world.clock.now() + RETENTION)
    assert world.kinds() == []


def test_a_batch_that_no_sweep_closed_is_found_and_closed(world: Audited) -> None:
    world.sql("UPDATE batches SET deadline = deadline - interval '1 day' WHERE batch_id = 'b'")
    assert world.kinds() == [FindingKind.OVERDUE_OPEN]
    assert world.audit(repair=True).open_findings == []
    assert world.bus.kinds()["BatchReadinessTimeout"] == 1


def test_an_event_that_no_relay_sent_is_found_and_sent(world: Audited) -> None:
    world.bus.is_down = True
    world.provision.provision([content("b")])
    world.let_time_pass()
    world.bus.is_down = False
    assert world.kinds() == [FindingKind.OUTBOX_TOO_OLD, FindingKind.OUTBOX_TOO_OLD]
    assert world.audit(repair=True).open_findings == []
    assert world.kinds() == []


def test_what_is_parked_too_long_is_found_and_kept(world: Audited) -> None:
    world.provision.provision([content("x", "never"), content("y", "never")])
    world.let_time_pass()
    [finding] = world.audit(repair=True).open_findings
    assert (finding.kind, finding.batch_id) == (FindingKind.PARKED_TOO_LONG, "never")
    assert finding.detail == "2 arrivals wait for a registration"
    assert world.sql("SELECT count(*) FROM parked_arrivals") == [[2]]


def test_counts_and_digests_are_computed_again_from_the_rows(world: Audited) -> None:
    world.sql("UPDATE essays SET text_storage_id = 'swapped' WHERE batch_id = 'closed'")
    world.sql("UPDATE batches SET assigned_count = 0 WHERE batch_id = 'b'")
    found = {(finding.kind, finding.batch_id) for finding in world.audit(repair=True).open_findings}
    assert found == {(FindingKind.DIGEST_DIFFERS, "closed"), (FindingKind.COUNTS_DIFFER, "b")}


def test_every_page_is_looked_at_unless_time_runs_short(world: Audited, valkey: ValkeyServer) -> None:
    world.register.register([registration(1, f"b{number}") for number in range(PAGE)])
    world.let_time_pass()
    valkey.client().flushall()
    world.sql("UPDATE essays SET text_storage_id = 'swapped' WHERE batch_id = 'closed'")
    audit = world.audit()
    assert (audit.batches, audit.unchecked) == (PAGE + 1, False)
    assert audit.counts() == dict.fromkeys(FindingKind, 0) | {
        FindingKind.REDIS_FORGOT: PAGE + 1,
        FindingKind.DIGEST_DIFFERS: 1,
    }
    assert world.audit(may_continue=False).unchecked
