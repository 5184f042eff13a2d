"""A locked slot is not a used slot: locks are waited for, and a row that was written first is the answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from traceback import format_exception
from typing import TYPE_CHECKING

import pytest

from els_core.adapters.clock import SystemClock
from els_core.application.message_consumer import MessageConsumer
from els_core.application.messages import QueueMessage
from els_core.application.provision_content import ProvisioningResult
from els_core.domain.arrivals import Arrival
from els_core.domain.decisions import BatchChange
from els_core.domain.errors import CoordinationTimeoutError, RejectedByStoreError
from els_core.domain.outcomes import Duplicate, Excess, Reason
from tests.factories import content, failure, registration
from tests.integration.environment import Environment
from tests.integration.postgres_proxy import ProxiedEnvironment

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
def impatient(environment: Environment, database_url: str, valkey: ValkeyServer) -> Iterator[Environment]:
    """An environment with a short lock timeout."""
    environment.execute(
        f'ALTER ROLE els IN DATABASE "{environment.engine.url.database}" SET lock_timeout = 300'
    )
    impatient = Environment(database_url, valkey.url)
    yield impatient
    impatient.close()


@contextmanager
def hold_lock(environment: Environment, sql: str) -> Iterator[Connection]:
    """Hold the locks of a statement in another transaction."""
    with environment.engine.begin() as connection:
        connection.exec_driver_sql(sql)
        yield connection


def wait_for_a_blocked_session(postgres: PostgresServer) -> None:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname LIKE 'test_%'"
    while postgres.execute(sql) == [[0]]:
        Event().wait(0.01)


@pytest.mark.fault(22)
def test_a_large_batch_in_progress_delays_no_small_batch(
    environment: Environment, impatient: Environment
) -> None:
    environment.register(registration(2_000))
    small = [f"small-{number}" for number in range(40)]
    environment.register(*(registration(25, name) for name in small))
    with hold_lock(environment, BATCH_ROW):
        for name in small:
            assert impatient.outcomes(*(content(f"c{n}", name) for n in range(25))) == {"assigned": 25}
    assert impatient.bus.event_counts()["BatchEssaysReady"] == len(small)


@pytest.mark.fault(19)
@pytest.mark.parametrize("locked", [BATCH_ROW, ALL_SLOTS])
def test_a_locked_slot_is_waited_for(
    environment: Environment, database_url: str, postgres: PostgresServer, locked: str
) -> None:
    environment.register(registration(1))
    other = Environment(database_url, environment.redis_url)
    with ThreadPoolExecutor(1) as pool:
        with hold_lock(other, locked):
            answer = pool.submit(environment.outcomes, content("a"))
            wait_for_a_blocked_session(postgres)
            assert not answer.done()
        assert answer.result() == {"assigned": 1}
    other.close()


@pytest.mark.fault(19)
@pytest.mark.parametrize("locked", [BATCH_ROW, ALL_SLOTS])
def test_a_lock_timeout_is_a_fault_and_makes_nothing_excess(
    environment: Environment, impatient: Environment, locked: str
) -> None:
    environment.register(registration(2))
    with hold_lock(environment, locked), pytest.raises(CoordinationTimeoutError):
        impatient.provision(content("a"), failure("f"))
    assert environment.snapshot().available == ("essay-0000", "essay-0001")
    assert impatient.outcomes(content("a"), failure("f")) == {"assigned": 1, "failed": 1}
    assert impatient.bus.event_counts()["ExcessContentProvisioned"] == 0


def test_a_fault_never_contains_a_file_name(environment: Environment, impatient: Environment) -> None:
    pupil = "Anna-Andersson"
    environment.register(registration(1))
    with hold_lock(environment, ALL_SLOTS), pytest.raises(CoordinationTimeoutError) as failed:
        impatient.provision(content(pupil))
    traceback = "".join(format_exception(failed.value))
    assert "record decisions" in traceback
    assert pupil not in traceback


@pytest.mark.fault(19)
def test_a_deadlock_is_retried_inside_the_invocation(
    environment: Environment, database_url: str, postgres: PostgresServer
) -> None:
    environment.register(registration(1, "b1"), registration(1, "b2"))
    other_environment = Environment(database_url, environment.redis_url)
    with ThreadPoolExecutor(1) as pool:
        with hold_lock(other_environment, BATCH_ROW.replace("'b'", "'b2'")) as other:
            other.exec_driver_sql(
                "SET LOCAL deadlock_timeout = '60s'"
            )  # so that Postgres cancels the other transaction
            answer = pool.submit(environment.outcomes, content("a", "b1"), content("a", "b2"))
            wait_for_a_blocked_session(postgres)
            other.exec_driver_sql(BATCH_ROW.replace("'b'", "'b1'"))
        assert answer.result() == {"assigned": 2}
    other_environment.close()


def write_without_foreign_keys(postgres: PostgresServer, environment: Environment, sql: str) -> None:
    """Write a row that the locks would forbid, as if another transaction had committed it unseen."""
    postgres.execute(
        f"DO $$ BEGIN SET LOCAL session_replication_role = replica; {sql}; END $$",
        database=str(environment.engine.url.database),
    )


EXCESS_ROW = """INSERT INTO excess_contents (batch_id, text_storage_id, reason, original_file_name,
    raw_file_storage_id) VALUES ('b', 'a', 'BATCH_TIMED_OUT', 'a.txt', 'raw')"""
FAILURE_ROW = """INSERT INTO validation_failures (batch_id, identity, essay_id, event_id, error_code,
    error_message, original_file_name, raw_file_storage_id, file_size_bytes)
    VALUES ('b', 'other', 'essay-0000', 'e', 'EMPTY_CONTENT', '', 'a.txt', 'raw', 1)"""


@pytest.mark.fault(1)
def test_after_a_unique_violation_the_row_written_first_is_the_answer(
    environment: Environment, postgres: PostgresServer
) -> None:
    proxied = ProxiedEnvironment(environment.database_url, environment.redis_url)
    proxied.register(registration(1))
    proxied.provision(content("other"))
    proxied.proxy.before_sql(
        "INSERT INTO excess_contents", lambda: write_without_foreign_keys(postgres, environment, EXCESS_ROW)
    )
    [answer] = proxied.provision(content("a")).outcomes
    assert answer == Duplicate(Excess(Reason.BATCH_TIMED_OUT))
    proxied.close()


class EmptyDeadLetterQueue:
    """The port `DeadLetterQueue`, which must not be used."""

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        assert not letters
        return []


@pytest.mark.fault(15)
def test_only_the_message_whose_rows_are_inconsistent_is_retried(
    environment: Environment, postgres: PostgresServer
) -> None:
    environment.register(registration(1), registration(2, "good"))
    write_without_foreign_keys(postgres, environment, FAILURE_ROW)
    arrivals: dict[str, Arrival] = {"1": content("a", "good"), "2": failure("f"), "3": content("b", "good")}
    consumer = MessageConsumer[Arrival, ProvisioningResult](
        arrivals.__getitem__,
        environment.provision_content.provision,
        lambda report: [None] * len(report.outcomes),
        EmptyDeadLetterQueue(),
        SystemClock(),
    )
    result = consumer.consume([QueueMessage(name, name) for name in arrivals])
    assert result.batch_item_failures == ["2"]
    assert len(environment.snapshot("good").assigned) == 2
    environment.execute("DELETE FROM validation_failures")


def test_a_row_without_its_batch_is_rejected_with_the_name_of_the_constraint(
    environment: Environment,
) -> None:
    environment.register(registration(1))

    def work(transaction: Transaction) -> None:
        [before] = transaction.lock(["b"]).values()
        excess = (content("a", "ghost"), Excess(Reason.NO_AVAILABLE_SLOT))
        transaction.record([BatchChange(before, replace(before, version=before.version + 1), (excess,))])

    with pytest.raises(RejectedByStoreError, match="excess_content_belongs_to_a_batch"):
        environment.repository.transact(work)
