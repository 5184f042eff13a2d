"""The contract of the port `Transaction` about locks, parked arrivals and overdue batches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from els_core.application.ports.repository import DeadlinePosition
from els_core.domain.arrivals import key_of
from els_core.domain.errors import ProcessingError, RejectedByStoreError
from els_core.domain.outcomes import Assigned, Parked
from tests.contract.transactions import decide_and_commit, parked_of, record_as, register, snapshot_of
from tests.factories import content, failure, registration

if TYPE_CHECKING:
    from els_core.application.ports.repository import ParkedArrival, Repository, Transaction
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch
    from els_core.domain.decisions import LockedView
    from tests.contract.repositories import RepositoryUnderTest

HOUR = timedelta(hours=1)


def test_parked_arrivals_are_stored_once_and_read_oldest_first(repository: Repository) -> None:
    arrivals: list[Arrival] = [content("z"), failure("m"), content("a")]
    for arrival in [*arrivals, arrivals[0]]:
        assert decide_and_commit(repository, arrival) == [Parked()]
    assert [row.arrival for row in parked_of(repository)] == arrivals
    repository.transact(
        lambda transaction: transaction.unpark([key_of(failure("m")), ("b", "content:unknown")])
    )
    assert [row.identity for row in parked_of(repository)] == ["content:z", "content:a"]


def test_an_unreadable_parked_arrival_is_returned_by_its_identity(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    decide_and_commit(repository, content("a"), content("c"))
    store.make_unreadable("content:a")
    assert [(row.identity, row.arrival) for row in parked_of(repository)] == [
        ("content:a", None),
        ("content:c", content("c")),
    ]


def test_overdue_batches_are_returned_by_deadline_with_the_time_of_postgres(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    for batch_id, seconds in (("late", 30), ("later", 40), ("never", 9_000), ("first", 20)):
        register(repository, 2, batch_id, seconds)
    register(repository, 1, "closed", 10)
    decide_and_commit(repository, content("a", "closed"), content("a", "awaited"))
    store.advance(timedelta(seconds=60))
    now, batches = repository.transact(lambda transaction: transaction.overdue(None, 1_000))
    assert [batch.batch_id for batch in batches] == ["first", "late", "later"]
    assert all(batch.deadline is not None and batch.deadline <= now for batch in batches)
    _, page = repository.transact(lambda transaction: transaction.overdue(None, 5))
    assert [batch.batch_id for batch in page] == ["first", "late"]
    assert page[-1].deadline is not None
    after = DeadlinePosition(page[-1].deadline, page[-1].batch_id)
    assert [b.batch_id for b in repository.transact(lambda t: t.overdue(after, 5))[1]] == ["later"]


def test_a_page_of_overdue_batches_holds_one_that_is_larger_than_the_page(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    register(repository, 5, "large", 10)
    register(repository, 1, "small", 20)
    store.advance(HOUR)
    _, page = repository.transact(lambda transaction: transaction.overdue(None, 3))
    assert [batch.batch_id for batch in page] == ["large"]


def test_locked_overdue_batches_are_skipped(store: RepositoryUnderTest, repository: Repository) -> None:
    for batch_id in ("a", "c"):
        register(repository, 2, batch_id, 10)
    store.advance(HOUR)
    other = store.repository()

    def work(transaction: Transaction) -> list[Batch]:
        transaction.lock(["a"])
        return other.transact(lambda theirs: theirs.overdue(None, 1))[1]

    assert [batch.batch_id for batch in repository.transact(work)] == ["c"]
    assert len(repository.transact(lambda transaction: transaction.overdue(None, 1_000))[1]) == 2


def test_overdue_parked_arrivals_are_returned_once(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    decide_and_commit(repository, content("z"), failure("f"), content("a", "other"))
    assert repository.transact(lambda transaction: transaction.overdue_parked(HOUR, 10))[1] == []
    store.advance(HOUR)
    decide_and_commit(repository, content("young"))
    _, found = repository.transact(lambda transaction: transaction.overdue_parked(HOUR, 10))
    assert [(batch.batch_id, batch.version, [row.arrival for row in rows]) for batch, rows in found] == [
        ("b", 3, [content("z"), failure("f")]),
        ("other", 2, [content("a", "other")]),
    ]
    assert snapshot_of(repository).batch.version == 3
    assert repository.transact(lambda transaction: transaction.overdue_parked(HOUR, 10))[1] == []
    assert len(parked_of(repository)) == 3


def test_overdue_parked_arrivals_of_a_locked_or_registered_batch_are_skipped(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    for batch_id in ("held", "registered", "waits"):
        decide_and_commit(repository, content("a", batch_id))
    register(repository, 2, "registered")
    store.advance(HOUR)
    other = store.repository()

    def work(transaction: Transaction) -> list[tuple[Batch, list[ParkedArrival]]]:
        transaction.lock(["held"])
        return other.transact(lambda theirs: theirs.overdue_parked(HOUR, 10))[1]

    assert [batch.batch_id for batch, _ in repository.transact(work)] == ["waits"]


def test_a_savepoint_rolls_back_only_its_own_writes(repository: Repository) -> None:
    def fail(transaction: Transaction) -> None:
        transaction.lock(["inside"])
        record_as(
            transaction, (content("a"), Assigned("essay-0000")), (content("d"), Assigned("no-such-slot"))
        )

    def work(transaction: Transaction) -> None:
        transaction.lock(["b"])
        transaction.open([registration(2)])
        with pytest.raises(ProcessingError), transaction.savepoint():
            fail(transaction)
        with transaction.savepoint():
            record_as(transaction, (content("c"), Assigned("essay-0000")))

    repository.transact(work)
    assert [slot.text_storage_id for slot in snapshot_of(repository).assigned] == ["c"]
    assert repository.snapshots(["inside"]) == []


def test_locking_and_viewing_in_one_call_equals_doing_both_in_turn(repository: Repository) -> None:
    register(repository, 3)
    decide_and_commit(repository, content("a"))
    arrivals = [content("a"), content("b"), content("early", "other")]

    def one_after_the_other(transaction: Transaction) -> tuple[object, object, object]:
        return transaction.lock(["b", "other"]), *view_of(transaction.locked_view(arrivals, {}))

    def together(transaction: Transaction) -> tuple[object, object, object]:
        batches, view = transaction.lock_and_view(["b", "other"], arrivals, {})
        return batches, *view_of(view)

    assert repository.transact(together) == repository.transact(one_after_the_other)


def view_of(view: LockedView) -> tuple[object, object]:
    """Return what of a view does not depend on its moment."""
    return view.first, {batch_id: set(free) for batch_id, free in view.free.items() if free}


def test_a_rejected_statement_without_a_savepoint_fails_the_transaction(repository: Repository) -> None:
    register(repository, 4)
    refused = replace(content("a"), original_file_name="nul\x00")

    def work(transaction: Transaction) -> None:
        def write_and_read() -> None:
            record_as(transaction, (refused, Assigned("essay-0000")))
            transaction.lock(["b"])  # the writes before it have been judged by then

        with pytest.raises(RejectedByStoreError):
            write_and_read()
        record_as(transaction, (content("after"), Assigned("essay-0001")))

    with pytest.raises(ProcessingError):
        repository.transact(work)
