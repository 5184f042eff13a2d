"""What the port `Repository` promises: transactions, the outbox and the old; on the fake and on Postgres."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.domain.batches import Status
from els_core.domain.errors import ProcessingError, RejectedByStoreError
from els_core.domain.events import OutboxMessage
from els_core.domain.outcomes import Assigned, Duplicate, Parked
from tests.contract.deciding import decision, parked_of, register, settle, snapshot_of
from tests.factories import content, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.ports.repository import Repository, Transaction
    from tests.contract.postgres_rows import PostgresUnderTest

NOW = timedelta(0)
HOUR = timedelta(hours=1)


def message(number: int, detail: str = "{}") -> OutboxMessage:
    return OutboxMessage(UUID(int=number), "b", "Kind", detail)


def enqueue(repository: Repository, *messages: OutboxMessage) -> None:
    repository.transact(lambda transaction: transaction.enqueue(messages))


def sent_ids(repository: Repository, after: int = 0, limit: int = 10) -> list[int]:
    return [one.event_id.int for _, one in repository.unsent(NOW, after, limit)]


def test_a_transaction_that_fails_leaves_nothing(repository: Repository) -> None:
    def work(transaction: Transaction) -> None:
        settle(transaction, content("a"))
        transaction.enqueue([message(1)])
        raise ProcessingError("try")

    with pytest.raises(ProcessingError):
        repository.transact(work)
    assert repository.find("b") is None
    assert sent_ids(repository) == []


def test_the_answer_of_the_work_is_the_answer_of_the_transaction(repository: Repository) -> None:
    assert decision(repository, content("a")) == [Parked()]


def test_who_waited_for_a_batch_sees_what_its_holder_committed(
    record: PostgresUnderTest, repository: Repository
) -> None:
    register(repository, 2)
    answers: list[object] = []
    record.hold_while_waiting(
        lambda transaction: settle(transaction, content("a")),
        lambda transaction: answers.extend(settle(transaction, content("a"), content("c"))),
    )
    [first, second] = answers
    assert isinstance(first, Duplicate)
    assert second == Assigned(snapshot_of(repository).assigned[1].essay_id)


def test_who_waited_for_a_name_that_another_was_giving_gets_the_same_row(
    record: PostgresUnderTest, repository: Repository
) -> None:
    versions: list[int] = []

    def wait(transaction: Transaction) -> None:
        versions.append(transaction.lock(["b"])["b"].version)

    record.hold_while_waiting(lambda transaction: settle(transaction, content("a")), wait)
    assert versions == [1]
    assert snapshot_of(repository).batch.status is Status.AWAITED


def test_transactions_that_lock_crosswise_are_run_again_and_both_commit(
    record: PostgresUnderTest, repository: Repository
) -> None:
    def crossing(first: str, second: str) -> Callable[[Transaction, Callable[[], None]], None]:
        def work(transaction: Transaction, meet: Callable[[], None]) -> None:
            settle(transaction, content(f"{first} {second}", first))
            meet()
            settle(transaction, content(f"{first} {second}", second))

        return work

    record.cross(crossing("a", "c"), crossing("c", "a"))
    for batch_id in ("a", "c"):
        assert {row.identity for row in parked_of(repository, batch_id)} == {"content:a c", "content:c a"}


def test_a_refusal_is_not_tried_again(repository: Repository) -> None:
    tries = []

    def work(transaction: Transaction) -> None:
        tries.append(transaction)
        raise RejectedByStoreError("try")

    with pytest.raises(RejectedByStoreError):
        repository.transact(work)
    assert len(tries) == 1


def test_the_outbox_is_read_oldest_first_in_pages(repository: Repository) -> None:
    for numbers in ((5, 3), (9,), (1,)):
        enqueue(repository, *map(message, numbers))
    page = repository.unsent(NOW, 0, 2)
    assert [one.event_id.int for _, one in page] == [5, 3]
    assert sent_ids(repository, after=page[-1][0]) == [9, 1]
    positions = [position for position, _ in repository.unsent(NOW, 0, 10)]
    assert positions == sorted(set(positions))


def test_a_message_with_the_same_id_stays_as_it_is(repository: Repository) -> None:
    first, second = (message(1, json.dumps({"try": attempt})) for attempt in (1, 2))
    enqueue(repository, first)
    enqueue(repository, second, message(2))
    assert [one for _, one in repository.unsent(NOW, 0, 10)] == [first, message(2)]


def test_only_messages_that_are_old_enough_are_left_behind(
    record: PostgresUnderTest, repository: Repository
) -> None:
    enqueue(repository, message(1))
    assert repository.unsent(HOUR, 0, 10) == []
    record.advance(HOUR)
    enqueue(repository, message(2))
    assert [one.event_id.int for _, one in repository.unsent(HOUR, 0, 10)] == [1]


def test_sent_messages_are_forgotten_once_or_twice(repository: Repository) -> None:
    enqueue(repository, message(1), message(2), message(3))
    repository.delete_sent([UUID(int=1), UUID(int=3), UUID(int=99)])
    repository.delete_sent([UUID(int=1)])
    assert sent_ids(repository) == [2]


def test_old_batches_are_deleted_in_pages_with_all_that_they_hold(
    record: PostgresUnderTest, repository: Repository
) -> None:
    register(repository, 1, "ready")
    register(repository, 1, "failed")
    register(repository, 3, "open")
    for arrival in (
        content("a", "ready"),
        content("x", "ready"),
        failure("f", "failed"),
        content("a", "open"),
        content("a", "awaited"),
    ):
        decision(repository, arrival)
    assert repository.purge(HOUR, 10) == 0
    record.advance(2 * HOUR)
    register(repository, 1, "young")
    decision(repository, content("a", "young"))
    assert [repository.purge(HOUR, 2), repository.purge(HOUR, 2), repository.purge(HOUR, 2)] == [2, 1, 0]
    assert [name for name in ("ready", "failed", "open", "awaited", "young") if repository.find(name)] == [
        "open",
        "young",
    ]
    assert repository.transact(lambda transaction: transaction.parked(["awaited"])) == []
    assert decision(repository, content("x", "ready")) == [Parked()]


def test_an_old_batch_that_another_holds_is_not_deleted(
    record: PostgresUnderTest, repository: Repository
) -> None:
    repository.transact(lambda transaction: transaction.lock(["held", "free"]))
    record.advance(HOUR)
    other = record.repository()

    def work(transaction: Transaction) -> int:
        transaction.lock(["held"])
        return other.purge(HOUR / 2, 10)

    assert repository.transact(work) == 1
    assert repository.find("held") is not None


def test_a_batch_that_no_one_has_named_is_not_found(repository: Repository) -> None:
    assert repository.find("b") is None
