"""Contention is told from exhaustion, and what another wrote first is read, not overwritten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from traceback import format_exception
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from els_core.application.message_consumer import MessageConsumer
from els_core.application.messages import QueueMessage
from els_core.application.provision_content import ProvisioningResult
from els_core.domain.arrivals import Arrival
from els_core.domain.batches import Batch, Status
from els_core.domain.decisions import BatchChange
from els_core.domain.errors import CoordinationTimeoutError, RejectedByStoreError
from els_core.domain.outcomes import Duplicate, Excess, Reason
from tests.factories import content, failure, registration
from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.application.messages import DeadLetter
    from els_core.application.ports.repository import Transaction

BATCH_ROW = "SELECT FROM batches WHERE batch_id = 'b' FOR UPDATE"
ALL_SLOTS = "SELECT FROM essays WHERE batch_id = 'b' FOR UPDATE"


@pytest.fixture
def impatient(world: World, database_url: str, valkey: ValkeyServer) -> Iterator[World]:
    """A copy that waits shortly for locks."""
    world.execute(f'ALTER ROLE els IN DATABASE "{world.engine.url.database}" SET lock_timeout = 300')
    copy = World(database_url, valkey.url)
    yield copy
    copy.close()


@contextmanager
def held(world: World, sql: str) -> Iterator[Connection]:
    """Hold locks in another transaction."""
    with world.engine.begin() as connection:
        connection.exec_driver_sql(sql)
        yield connection


def wait_until_one_waits(postgres: PostgresServer) -> None:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname LIKE 'test_%'"
    while postgres.execute(sql) == [[0]]:
        Event().wait(0.01)


@pytest.mark.fault(19)
@pytest.mark.parametrize("locked", [BATCH_ROW, ALL_SLOTS])
def test_slots_that_another_holds_locked_are_waited_for(
    world: World, database_url: str, postgres: PostgresServer, locked: str
) -> None:
    world.register.register([registration(1)])
    other = World(database_url, world.redis_url)
    with ThreadPoolExecutor(1) as pool:
        with held(other, locked):
            answer = pool.submit(world.outcomes, [content("a")])
            wait_until_one_waits(postgres)
            assert not answer.done()
        assert answer.result() == {"assigned": 1}
    other.close()


@pytest.mark.fault(19)
@pytest.mark.parametrize("locked", [BATCH_ROW, ALL_SLOTS])
def test_a_lock_that_is_not_given_up_brings_all_back_and_nothing_is_excess(
    world: World, impatient: World, locked: str
) -> None:
    world.register.register([registration(2)])
    with held(world, locked), pytest.raises(CoordinationTimeoutError):
        impatient.provision.provision([content("a"), failure("f")])
    assert world.snapshot().available == ("essay-0000", "essay-0001")
    assert impatient.outcomes([content("a"), failure("f")]) == {"assigned": 1, "failed": 1}
    assert impatient.bus.kinds()["ExcessContentProvisioned"] == 0


def test_a_fault_tells_no_file_name(world: World, impatient: World) -> None:
    pupil = "Anna-Andersson"
    world.register.register([registration(1)])
    with held(world, ALL_SLOTS), pytest.raises(CoordinationTimeoutError) as failed:
        impatient.provision.provision([content(pupil)])
    told = "".join(format_exception(failed.value))
    assert "UPDATE essays" in told
    assert pupil not in told


@pytest.mark.fault(19)
def test_a_deadlock_is_retried_inside_the_invocation(
    world: World, database_url: str, postgres: PostgresServer
) -> None:
    world.register.register([registration(1, "b1"), registration(1, "b2")])
    other_world = World(database_url, world.redis_url)
    with ThreadPoolExecutor(1) as pool:
        with held(other_world, BATCH_ROW.replace("'b'", "'b2'")) as other:
            other.exec_driver_sql("SET LOCAL deadlock_timeout = '60s'")  # so that it is not the victim
            answer = pool.submit(world.outcomes, [content("a", "b1"), content("a", "b2")])
            wait_until_one_waits(postgres)
            other.exec_driver_sql(BATCH_ROW.replace("'b'", "'b1'"))
        assert answer.result() == {"assigned": 2}
    other_world.close()


def without_foreign_keys(postgres: PostgresServer, world: World, sql: str) -> None:
    """Write what the locks forbid: a row of another transaction that our snapshot has not seen."""
    postgres.execute(
        f"DO $$ BEGIN SET LOCAL session_replication_role = replica; {sql}; END $$",
        database=str(world.engine.url.database),
    )


EXCESS_ROW = """INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name,
    raw_file_storage_id) VALUES ('b', 'a', 'BATCH_TIMED_OUT', 'a.txt', 'raw')"""
FAILURE_ROW = """INSERT INTO validation_failures (batch_id, identity, essay_id, event_id, error_code,
    error_message, original_file_name, raw_file_storage_id, file_size_bytes)
    VALUES ('b', 'other', 'essay-0000', 'e', 'EMPTY_CONTENT', '', 'a.txt', 'raw', 1)"""


@pytest.mark.fault(1)
def test_what_another_wrote_first_is_the_answer(world: World, postgres: PostgresServer) -> None:
    world.register.register([registration(1)])
    world.provision.provision([content("other")])
    writes = [EXCESS_ROW]

    @event.listens_for(world.engine, "before_cursor_execute")
    def _write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO excess_contents" in statement and writes:
            without_foreign_keys(postgres, world, writes.pop())

    [answer] = world.provision.provision([content("a")]).outcomes
    assert answer == Duplicate(Excess(Reason.BATCH_TIMED_OUT))


class NoLetters:
    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        assert not letters
        return []


@pytest.mark.fault(15)
def test_a_record_that_the_record_never_takes_comes_back_alone(
    world: World, postgres: PostgresServer
) -> None:
    world.register.register([registration(1), registration(2, "good")])
    without_foreign_keys(postgres, world, FAILURE_ROW)
    arrivals: dict[str, Arrival] = {"1": content("a", "good"), "2": failure("f"), "3": content("b", "good")}
    intake = MessageConsumer[Arrival, ProvisioningResult](
        arrivals.__getitem__,
        world.provision.provision,
        lambda report: [None] * len(report.outcomes),
        NoLetters(),
    )
    taken = intake.consume([QueueMessage(name, name) for name in arrivals])
    assert taken.batch_item_failures == ["2"]
    assert len(world.snapshot("good").assigned) == 2
    world.execute("DELETE FROM validation_failures")


def test_a_row_without_its_batch_is_refused_by_the_name_of_the_constraint(world: World) -> None:
    ghost = Batch("ghost", Status.OPEN, 0)
    change = BatchChange(ghost, ghost, ((content("a", "ghost"), Excess(Reason.NO_AVAILABLE_SLOT)),))

    def work(transaction: Transaction) -> None:
        transaction.record([change])

    with pytest.raises(RejectedByStoreError, match="excess_content_belongs_to_a_batch"):
        world.repository.transact(work)
