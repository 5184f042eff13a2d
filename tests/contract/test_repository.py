"""The contract of the port `Repository`, on the fake and on Postgres: transactions, outbox and purge."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.domain.batches import EndedBy, Status
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


def unsent(
    repository: Repository, age: timedelta = NOW, after: int = 0, max_bytes: int = 1_000
) -> list[OutboxMessage]:
    return repository.unsent(age, after, max_bytes, is_final=False)


def sent_ids(repository: Repository, after: int = 0) -> list[int]:
    return [one.event_id.int for one in unsent(repository, after=after)]


def test_a_failed_transaction_leaves_nothing(repository: Repository) -> None:
    def work(transaction: Transaction) -> None:
        decide_and_record(transaction, content("a"))
        transaction.enqueue([message(1)])
        raise ProcessingError("try")

    with pytest.raises(ProcessingError):
        repository.transact(work)
    assert repository.snapshots(["b"]) == []
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
    page = unsent(repository, max_bytes=len("{}{}"))
    assert [one.event_id.int for one in page] == [5, 3]
    assert sent_ids(repository, after=page[-1].position or 0) == [9, 1]
    positions = [one.position for one in unsent(repository) if one.position is not None]
    assert positions == sorted(set(positions))
    assert len(positions) == 4


def test_a_page_of_the_outbox_holds_an_event_that_is_larger_than_the_page(repository: Repository) -> None:
    enqueue(repository, message(1, "x" * 50), message(2))
    assert [one.event_id.int for one in unsent(repository, max_bytes=10)] == [1]


def test_final_results_are_read_apart_from_the_other_events(repository: Repository) -> None:
    enqueue(repository, message(1), replace(message(2), is_final=True), message(3))
    finals = repository.unsent(NOW, 0, 1_000, is_final=True)
    assert [one.event_id.int for one in finals] == [2]
    assert sent_ids(repository) == [1, 3]


def test_enqueueing_an_event_id_again_changes_nothing(repository: Repository) -> None:
    first, second = (message(1, json.dumps({"try": attempt})) for attempt in (1, 2))
    enqueue(repository, first)
    enqueue(repository, second, message(2))
    assert [replace(one, position=None) for one in unsent(repository)] == [first, message(2)]


def test_enqueueing_returns_only_what_was_inserted_with_its_position(repository: Repository) -> None:
    enqueue(repository, message(1))
    inserted = repository.transact(lambda transaction: transaction.enqueue([message(1), message(2)]))
    assert [one.event_id.int for one in inserted] == [2]
    assert [one.position for one in inserted] == [one.position for one in unsent(repository)][1:]


@pytest.mark.fault(24)
def test_a_kept_result_is_announced_again_with_the_same_bytes_at_a_new_position(
    repository: Repository,
) -> None:
    repository.transact(lambda transaction: transaction.lock(["b"]))
    register(repository, 1)
    decide_and_commit(repository, content("a"))
    final = replace(message(7, '{"the": "result"}'), is_final=True, digest="digest", ended_by=EndedBy.FULL)
    [first] = repository.transact(lambda transaction: transaction.enqueue([final]))
    again = repository.transact(lambda transaction: transaction.announce_again("b", 1))
    assert again is not None
    assert (again.event_id, again.detail, again.detail_type) == (final.event_id, final.detail, "Kind")
    assert first.position != again.position
    assert first.position is not None
    repository.delete_sent([first.position])  # a late deletion of the first sending
    assert [one.position for one in repository.unsent(NOW, 0, 1_000, is_final=True)] == [again.position]
    assert repository.transact(lambda transaction: transaction.announce_again("unknown", 1)) is None


def test_only_outbox_rows_that_are_old_enough_are_returned(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    enqueue(repository, message(1))
    assert unsent(repository, HOUR) == []
    store.advance(HOUR)
    enqueue(repository, message(2))
    assert [one.event_id.int for one in unsent(repository, HOUR)] == [1]


def test_deleting_sent_messages_is_idempotent(repository: Repository) -> None:
    enqueue(repository, message(1), message(2), message(3))
    one, _, three = [row.position or 0 for row in unsent(repository)]
    repository.delete_sent([one, three, 10**12])
    repository.delete_sent([one])
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
    assert repository.purge(HOUR, 1_000) == 0
    store.advance(2 * HOUR)
    register(repository, 1, "young")
    decide_and_commit(repository, content("a", "young"))
    assert repository.purge(HOUR, 1) == 1
    assert [repository.purge(HOUR, 1_000), repository.purge(HOUR, 1_000)] == [2, 0]
    assert [
        name for name in ("ready", "failed", "open", "awaited", "young") if repository.snapshots([name])
    ] == [
        "open",
        "young",
    ]
    assert repository.transact(lambda transaction: transaction.parked(["awaited"], 10)) == []
    assert decide_and_commit(repository, content("x", "ready")) == [Parked()]


def test_a_locked_old_batch_is_not_purged(store: RepositoryUnderTest, repository: Repository) -> None:
    repository.transact(lambda transaction: transaction.lock(["held", "free"]))
    store.advance(HOUR)
    other = store.repository()

    def work(transaction: Transaction) -> int:
        transaction.lock(["held"])
        return other.purge(HOUR / 2, 1_000)

    assert repository.transact(work) == 1
    assert len(repository.snapshots(["held"])) == 1


def test_a_batch_of_which_an_event_waits_is_not_purged(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    repository.transact(lambda transaction: transaction.lock(["b", "other"]))
    enqueue(repository, message(1))
    store.advance(2 * HOUR)
    assert repository.purge(HOUR, 1_000) == 1
    assert len(repository.snapshots(["b", "other"])) == 1


def test_an_unknown_batch_is_not_found(repository: Repository) -> None:
    assert repository.snapshots(["b"]) == []
