"""The contract of the port `Repository`, on the fake and on Postgres: transactions, outbox and purge."""

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
from tests.contract.transactions import decide_and_commit, decide_and_record, parked_of, register, snapshot_of
from tests.factories import content, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.ports.repository import Repository, Transaction
    from tests.contract.repositories import RepositoryUnderTest

NOW = timedelta(0)
HOUR = timedelta(hours=1)


def message(number: int, detail: str = "{}") -> OutboxMessage:
    return OutboxMessage(UUID(int=number), "b", "Kind", detail)


def enqueue(repository: Repository, *messages: OutboxMessage) -> None:
    repository.transact(lambda transaction: transaction.enqueue(messages))


def sent_ids(repository: Repository, after: int = 0, limit: int = 10) -> list[int]:
    return [one.event_id.int for _, one in repository.unsent(NOW, after, limit)]


def test_a_failed_transaction_leaves_nothing(repository: Repository) -> None:
    def work(transaction: Transaction) -> None:
        decide_and_record(transaction, content("a"))
        transaction.enqueue([message(1)])
        raise ProcessingError("try")

    with pytest.raises(ProcessingError):
        repository.transact(work)
    assert repository.find("b") is None
    assert sent_ids(repository) == []


def test_a_transaction_returns_the_result_of_its_work(repository: Repository) -> None:
    assert decide_and_commit(repository, content("a")) == [Parked()]


def test_after_waiting_for_a_lock_the_commit_of_its_holder_is_visible(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    register(repository, 2)
    answers: list[object] = []
    store.hold_while_waiting(
        lambda transaction: decide_and_record(transaction, content("a")),
        lambda transaction: answers.extend(decide_and_record(transaction, content("a"), content("c"))),
    )
    [first, second] = answers
    assert isinstance(first, Duplicate)
    assert second == Assigned(snapshot_of(repository).assigned[1].essay_id)


def test_two_transactions_that_insert_the_same_placeholder_get_the_same_row(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    versions: list[int] = []

    def wait(transaction: Transaction) -> None:
        versions.append(transaction.lock(["b"])["b"].version)

    store.hold_while_waiting(lambda transaction: decide_and_record(transaction, content("a")), wait)
    assert versions == [1]
    assert snapshot_of(repository).batch.status is Status.AWAITED


def test_deadlocked_transactions_are_retried_and_both_commit(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    def crossing(first: str, second: str) -> Callable[[Transaction, Callable[[], None]], None]:
        def work(transaction: Transaction, meet: Callable[[], None]) -> None:
            decide_and_record(transaction, content(f"{first} {second}", first))
            meet()
            decide_and_record(transaction, content(f"{first} {second}", second))

        return work

    store.cross(crossing("a", "c"), crossing("c", "a"))
    for batch_id in ("a", "c"):
        assert {row.identity for row in parked_of(repository, batch_id)} == {"content:a c", "content:c a"}


def test_rejected_data_is_not_retried(repository: Repository) -> None:
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


def test_enqueueing_an_event_id_again_changes_nothing(repository: Repository) -> None:
    first, second = (message(1, json.dumps({"try": attempt})) for attempt in (1, 2))
    enqueue(repository, first)
    enqueue(repository, second, message(2))
    assert [one for _, one in repository.unsent(NOW, 0, 10)] == [first, message(2)]


def test_only_outbox_rows_that_are_old_enough_are_returned(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    enqueue(repository, message(1))
    assert repository.unsent(HOUR, 0, 10) == []
    store.advance(HOUR)
    enqueue(repository, message(2))
    assert [one.event_id.int for _, one in repository.unsent(HOUR, 0, 10)] == [1]


def test_deleting_sent_messages_is_idempotent(repository: Repository) -> None:
    enqueue(repository, message(1), message(2), message(3))
    repository.delete_sent([UUID(int=1), UUID(int=3), UUID(int=99)])
    repository.delete_sent([UUID(int=1)])
    assert sent_ids(repository) == [2]


def test_old_batches_are_purged_in_pages_with_all_their_rows_but_never_open_ones(
    store: RepositoryUnderTest, repository: Repository
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
        decide_and_commit(repository, arrival)
    assert repository.purge(HOUR, 10) == 0
    store.advance(2 * HOUR)
    register(repository, 1, "young")
    decide_and_commit(repository, content("a", "young"))
    assert [repository.purge(HOUR, 2), repository.purge(HOUR, 2), repository.purge(HOUR, 2)] == [2, 1, 0]
    assert [name for name in ("ready", "failed", "open", "awaited", "young") if repository.find(name)] == [
        "open",
        "young",
    ]
    assert repository.transact(lambda transaction: transaction.parked(["awaited"])) == []
    assert decide_and_commit(repository, content("x", "ready")) == [Parked()]


def test_a_locked_old_batch_is_not_purged(store: RepositoryUnderTest, repository: Repository) -> None:
    repository.transact(lambda transaction: transaction.lock(["held", "free"]))
    store.advance(HOUR)
    other = store.repository()

    def work(transaction: Transaction) -> int:
        transaction.lock(["held"])
        return other.purge(HOUR / 2, 10)

    assert repository.transact(work) == 1
    assert repository.find("held") is not None


def test_an_unknown_batch_is_not_found(repository: Repository) -> None:
    assert repository.find("b") is None
