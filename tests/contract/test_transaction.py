"""The contract of the port `Transaction`, on the fake and on Postgres: reads, writes and rejections."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from els_core.domain.arrivals import key_of
from els_core.domain.batches import Status
from els_core.domain.decisions import BatchChange
from els_core.domain.errors import ProcessingError, RejectedByStoreError
from els_core.domain.outcomes import Assigned, Excess, Failed, Late, Parked, Reason
from tests.contract.transactions import decide_and_commit, proposals, record_as, register, snapshot_of
from tests.factories import content, failure, registration

if TYPE_CHECKING:
    from els_core.application.ports.repository import Repository, Transaction
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch
    from els_core.domain.outcomes import Outcome

HOUR = timedelta(hours=1)
FULL = Reason.NO_AVAILABLE_SLOT


def test_locking_an_unknown_batch_inserts_an_awaited_placeholder(repository: Repository) -> None:
    named = repository.transact(lambda transaction: transaction.lock(["b", "a"]))
    assert {(batch.batch_id, batch.status, batch.version) for batch in named.values()} == {
        ("a", Status.AWAITED, 0),
        ("b", Status.AWAITED, 0),
    }
    assert repository.transact(lambda transaction: transaction.lock(["b"])) == {"b": named["b"]}


def test_an_opened_batch_has_all_its_slots_and_a_deadline_by_the_clock_of_postgres(
    repository: Repository,
) -> None:
    opened = register(repository, 3, timeout_seconds=60)
    assert (opened.status, opened.version, opened.expected_count) == (Status.OPEN, 1, 3)
    [snapshot] = repository.snapshots(["b"])
    now = repository.transact(lambda transaction: transaction.locked_view((), {}).now)
    assert snapshot.batch == opened
    assert snapshot.available == ("essay-0000", "essay-0001", "essay-0002")
    assert snapshot.details == registration(3, timeout_seconds=60).details
    assert opened.deadline is not None
    assert timedelta(0) < opened.deadline - now <= timedelta(seconds=60)


def test_a_batch_is_opened_once(repository: Repository) -> None:
    register(repository, 3)

    def again(transaction: Transaction) -> dict[str, Batch]:
        transaction.lock(["b"])
        return transaction.open([registration(5)])

    assert repository.transact(again) == {}
    assert snapshot_of(repository).batch.expected_count == 3


def test_every_outcome_is_read_back_as_the_first_answer(repository: Repository) -> None:
    register(repository, 2)
    arrivals: list[Arrival] = [content("a"), failure("a"), content("c"), failure("g")]
    first = decide_and_commit(repository, *arrivals)
    assert [type(outcome) for outcome in first] == [Assigned, Failed, Excess, Late]
    locked_view = repository.transact(
        lambda transaction: transaction.locked_view([*arrivals, content("new")], {})
    )
    assert locked_view.first == dict(zip(map(key_of, arrivals), first, strict=True))


def test_proposed_slots_that_are_available_are_listed_as_free(repository: Repository) -> None:
    register(repository, 5)
    arrivals = [content("a"), content("c")]
    hints = proposals(arrivals, "essay-0004", "essay-0002")
    locked_view = repository.transact(lambda transaction: transaction.locked_view(arrivals, hints))
    assert set(locked_view.free["b"]) == {"essay-0002", "essay-0004"}


def test_proposed_slots_that_are_taken_are_replaced_by_other_free_slots(repository: Repository) -> None:
    register(repository, 5)
    repository.transact(
        lambda transaction: record_as(transaction, (content("owner"), Assigned("essay-0000")))
    )
    arrivals = [content("a"), content("c"), content("d")]
    hints = proposals(arrivals, "essay-0000", "no-such-slot", "essay-0004")
    locked_view = repository.transact(lambda transaction: transaction.locked_view(arrivals, hints))
    assert set(locked_view.free["b"]) <= {"essay-0001", "essay-0002", "essay-0003", "essay-0004"}
    assert len(set(locked_view.free["b"])) >= 3
    assert "essay-0004" in locked_view.free["b"]


def test_all_free_slots_are_listed_when_more_are_wanted(repository: Repository) -> None:
    register(repository, 2)
    arrivals = [content(f"c{number}") for number in range(4)]
    locked_view = repository.transact(lambda transaction: transaction.locked_view(arrivals, {}))
    assert set(locked_view.free["b"]) == {"essay-0000", "essay-0001"}
    assert repository.transact(lambda transaction: transaction.locked_view([], {})).free == {}


def test_outcomes_are_recorded_with_their_counts(repository: Repository) -> None:
    register(repository, 4)
    decided: list[tuple[Arrival, Outcome]] = [
        (content("a"), Assigned("essay-0003")),
        (failure("f"), Failed("essay-0001")),
        (failure("g"), Late(FULL)),
        (content("x"), Excess(FULL)),
    ]
    repository.transact(lambda transaction: record_as(transaction, *decided))
    snapshot = snapshot_of(repository)
    assert (snapshot.batch.version, snapshot.batch.assigned_count, snapshot.batch.failed_count) == (2, 1, 1)
    assert [(slot.essay_id, slot.text_storage_id) for slot in snapshot.assigned] == [("essay-0003", "a")]
    assert [(counted.identity, counted.essay_id) for counted in snapshot.slot_failures] == [
        ("upload:f", "essay-0001"),
    ]
    assert snapshot.available == ("essay-0000", "essay-0002")
    assert repository.transact(lambda transaction: transaction.snapshots(["b"])) == [snapshot]


@pytest.mark.parametrize("version", [0, 2])
def test_a_decision_on_another_version_is_rolled_back(repository: Repository, version: int) -> None:
    register(repository, 4)
    before = snapshot_of(repository)
    with pytest.raises(ProcessingError):
        repository.transact(
            lambda transaction: record_as(
                transaction, (content("a"), Assigned("essay-0000")), version=version
            )
        )
    assert snapshot_of(repository) == before


@pytest.mark.parametrize("slot", ["essay-0000", "no-such-slot"])
@pytest.mark.parametrize("kind", [Assigned, Failed])
def test_a_slot_that_is_not_available_is_never_taken(
    repository: Repository, slot: str, kind: type[Assigned | Failed]
) -> None:
    register(repository, 4)
    repository.transact(
        lambda transaction: record_as(transaction, (content("owner"), Assigned("essay-0000")))
    )
    before = snapshot_of(repository)
    arrival: Arrival = content("thief") if kind is Assigned else failure("thief")
    with pytest.raises((ProcessingError, RejectedByStoreError)):
        repository.transact(lambda transaction: record_as(transaction, (arrival, kind(slot))))
    assert snapshot_of(repository) == before


def test_a_content_never_owns_two_slots(repository: Repository) -> None:
    register(repository, 4)
    repository.transact(lambda transaction: record_as(transaction, (content("a"), Assigned("essay-0000"))))
    with pytest.raises(ProcessingError, match="one_slot_per_content"):
        repository.transact(
            lambda transaction: record_as(transaction, (content("a"), Assigned("essay-0001")))
        )


def test_a_failure_never_uses_two_slots(repository: Repository) -> None:
    register(repository, 4)
    repository.transact(lambda transaction: record_as(transaction, (failure("f"), Failed("essay-0000"))))
    with pytest.raises(ProcessingError, match="one_"):
        repository.transact(lambda transaction: record_as(transaction, (failure("f"), Failed("essay-0001"))))


def test_an_excess_content_is_stored_once(repository: Repository) -> None:
    register(repository, 4)
    repository.transact(lambda transaction: record_as(transaction, (content("a"), Excess(FULL))))
    with pytest.raises(ProcessingError, match="one_row_per_excess_content"):
        repository.transact(lambda transaction: record_as(transaction, (content("a"), Excess(FULL))))


@pytest.mark.parametrize(
    ("status", "assigned", "failed"),
    [
        (Status.OPEN, 2, 0),
        (Status.READY, 1, 0),
        (Status.READY, 0, 2),
        (Status.FAILED, 1, 1),
        (Status.TIMED_OUT, 2, 0),
    ],
)
def test_a_status_that_contradicts_its_slots_is_rejected(
    repository: Repository, status: Status, assigned: int, failed: int
) -> None:
    register(repository, 2)

    def work(transaction: Transaction) -> None:
        [before] = transaction.lock(["b"]).values()
        slots = iter(["essay-0000", "essay-0001"])
        decided: list[tuple[Arrival, Outcome]] = [
            *((content(f"c{number}"), Assigned(next(slots))) for number in range(assigned)),
            *((failure(f"f{number}"), Failed(next(slots))) for number in range(failed)),
        ]
        after = replace(before, status=status, version=2, assigned_count=assigned, failed_count=failed)
        transaction.record([BatchChange(before, after, tuple(decided))])

    with pytest.raises(RejectedByStoreError, match="batch"):
        repository.transact(work)


UNSTORABLE: list[tuple[Arrival, Outcome]] = [
    (replace(content("a"), original_file_name="nul\x00"), Assigned("essay-0000")),
    (replace(content("a"), original_file_name="nul\x00"), Excess(FULL)),
    (replace(content("a"), original_file_name="nul\x00"), Parked()),
    (replace(failure("a"), error_message="nul\x00"), Failed("essay-0000")),
    (replace(content("a"), file_size_bytes=2**63), Assigned("essay-0000")),
    (replace(failure("a"), file_size_bytes=2**63), Late(FULL)),
]


@pytest.mark.parametrize("decided", UNSTORABLE)
def test_data_that_no_row_can_hold_is_rejected_and_a_savepoint_keeps_the_rest(
    repository: Repository, decided: tuple[Arrival, Outcome]
) -> None:
    register(repository, 4)

    def work(transaction: Transaction) -> None:
        record_as(transaction, (content("before"), Assigned("essay-0003")))
        with pytest.raises(RejectedByStoreError), transaction.savepoint():
            record_as(transaction, decided)
        record_as(transaction, (content("after"), Assigned("essay-0002")))

    repository.transact(work)
    assert [slot.text_storage_id for slot in snapshot_of(repository).assigned] == ["after", "before"]
