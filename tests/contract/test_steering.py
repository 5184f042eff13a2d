"""The contract of the port `Transaction` for commands and superseding, on the fake and on Postgres."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.commands import KeptCommand
from els_core.domain.arrivals import key_of
from els_core.domain.batches import EndedBy, ReleasedSlot, Status
from els_core.domain.commands import Cancel, CommandAnswer, CommandName, Refusal
from els_core.domain.decisions import BatchChange
from els_core.domain.errors import ProcessingError
from els_core.domain.events import OutboxMessage
from els_core.domain.outcomes import Assigned, Excess, Late, Parked, Reason, Superseded
from els_core.domain.superseding import SupersededArrival
from tests.contract.transactions import decide_and_commit, parked_of, register, snapshot_of
from tests.factories import command_request, content, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.ports.repository import Repository, Transaction
    from els_core.domain.batches import Batch
    from els_core.domain.decisions import LockedView

ANSWER = CommandAnswer(
    "command",
    CommandName.CANCEL,
    Refusal.TOO_LATE,
    Status.READY,
    2,
    7,
    ("s1",),
    (ReleasedSlot("s2", "a"),),
    3,
)


def change(repository: Repository, make: Callable[[Batch], BatchChange]) -> None:
    """Lock the batch, and record the change that is made of its row."""
    repository.transact(lambda transaction: transaction.record([make(transaction.lock(["b"])["b"])]))


def moved(before: Batch, **values: int | str) -> Batch:
    return replace(before, version=before.version + 1, **values)  # type: ignore[arg-type]


def seen(repository: Repository, *names: str) -> LockedView:
    arrivals = [content(name) for name in names]
    return repository.transact(lambda transaction: transaction.locked_view(arrivals, {}))


def test_only_known_batches_are_locked_when_that_is_asked(repository: Repository) -> None:
    register(repository, 1)
    locked = repository.transact(lambda transaction: transaction.lock(["b", "unknown"], only_known=True))
    assert list(locked) == ["b"]
    assert repository.snapshots(["unknown"]) == []


def test_a_content_takes_the_slot_of_the_one_that_it_supersedes(repository: Repository) -> None:
    register(repository, 2)
    decide_and_commit(repository, content("c1"))
    [before] = snapshot_of(repository).assigned
    decide_and_commit(repository, content("c4", supersedes="content:c1"))
    [after] = snapshot_of(repository).assigned
    assert (after.essay_id, after.text_storage_id) == (before.essay_id, "c4")
    assert snapshot_of(repository).batch.assigned_count == 1
    assert seen(repository, "c1").first == {("b", "content:c1"): Superseded()}


def test_one_that_has_not_come_yet_is_barred_until_it_comes(repository: Repository) -> None:
    register(repository, 2)
    decide_and_commit(repository, content("c4", supersedes="content:c1"))
    view = seen(repository, "c1")
    assert (view.first, view.barred) == ({}, {("b", "content:c1")})
    assert decide_and_commit(repository, content("c1")) == [Superseded()]
    view = seen(repository, "c1")
    assert (view.first, view.barred) == ({("b", "content:c1"): Superseded()}, set())


def test_a_failure_that_is_superseded_frees_its_slot(repository: Repository) -> None:
    register(repository, 1 + 1)
    decide_and_commit(repository, failure("f"))
    decide_and_commit(repository, content("c", supersedes="upload:f"), failure("g"))
    snapshot = snapshot_of(repository)
    assert (snapshot.batch.assigned_count, snapshot.batch.failed_count) == (1, 1)
    assert [one.identity for one in snapshot.slot_failures] == ["upload:g"]


def test_what_is_superseded_is_parked_and_excess_and_late_no_longer(repository: Repository) -> None:
    assert decide_and_commit(repository, content("p")) == [Parked()]
    assert decide_and_commit(repository, failure("g", supersedes="content:p")) == [
        Late(Reason.REPLACEMENT_FAILED)
    ]
    decide_and_commit(repository, content("q", supersedes="upload:g"))
    assert [one.identity for one in parked_of(repository)] == ["content:q"]
    view = seen(repository, "p", "q")
    assert view.first == {("b", "content:p"): Superseded()}
    assert view.parked == {("b", "content:q")}


def test_the_names_of_a_chain_are_read_as_far_as_it_goes(repository: Repository) -> None:
    register(repository, 2)
    decide_and_commit(repository, failure("g3", supersedes="content:c1"))
    decide_and_commit(repository, failure("g4", supersedes="upload:g3"))
    arrival = content("c7", supersedes="upload:g4")
    view = repository.transact(lambda transaction: transaction.locked_view([arrival], {}))
    late = Late(Reason.REPLACEMENT_FAILED)
    assert view.first == {("b", "upload:g4"): late, ("b", "upload:g3"): late}
    assert {**view.names, key_of(arrival): ""} == {
        ("b", "content:c7"): "",
        ("b", "upload:g4"): "upload:g3",
        ("b", "upload:g3"): "content:c1",
    }


def test_slots_are_withdrawn_and_added_with_the_counts(repository: Repository) -> None:
    register(repository, 3)
    change(
        repository,
        lambda b: BatchChange(b, moved(b, expected_count=2), withdrawn=("essay-0001",)),
    )
    snapshot = snapshot_of(repository)
    assert (snapshot.available, snapshot.withdrawn) == (("essay-0000", "essay-0002"), ("essay-0001",))
    change(repository, lambda b: BatchChange(b, moved(b, expected_count=4), added=("essay-0001", "new")))
    assert snapshot_of(repository).available == ("essay-0000", "essay-0001", "essay-0002", "new")
    assert seen(repository, "a", "b", "c", "d", "e").free["b"]


@pytest.mark.parametrize("essay_id", ["essay-0000", "unknown"])
def test_a_slot_that_is_not_free_is_not_withdrawn(repository: Repository, essay_id: str) -> None:
    register(repository, 3)
    holder = (content("a"), Assigned("essay-0000"))
    change(repository, lambda b: BatchChange(b, moved(b, assigned_count=1), (holder,)))
    with pytest.raises(ProcessingError):
        change(repository, lambda b: BatchChange(b, moved(b, expected_count=2), withdrawn=(essay_id,)))
    assert snapshot_of(repository).batch.expected_count == 3


def test_excess_contents_stand_by_in_their_order_and_are_taken_in(repository: Repository) -> None:
    register(repository, 1)
    names = ["c", "a", "b"]
    decide_and_commit(repository, content("owner"))
    decide_and_commit(repository, *(content(name, supersedes="content:owner") for name in names))
    standby = repository.transact(lambda transaction: transaction.standby("b", 2))
    assert standby.excess == [content(name, supersedes="content:owner") for name in names[:2]]

    def reopened(before: Batch) -> BatchChange:
        after = moved(before, epoch=2, status=Status.OPEN, assigned_count=2, expected_count=3)
        taken = (content("c"), Assigned("new"))
        return BatchChange(before, after, (taken,), taken_in=("content:c",), added=("new", "more"))

    change(repository, reopened)
    assert {slot.text_storage_id for slot in snapshot_of(repository).assigned} == {"owner", "c"}
    left = repository.transact(lambda transaction: transaction.standby("b", 9)).excess
    assert [one.text_storage_id for one in left] == ["a", "b"]


def test_who_names_whom_stands_by_unless_that_is_superseded(repository: Repository) -> None:
    register(repository, 2)
    decide_and_commit(repository, content("c5", supersedes="content:c4"), content("c1"))
    decide_and_commit(
        repository, content("c4", supersedes="content:c1"), failure("g", supersedes="content:c9")
    )
    standby = repository.transact(lambda transaction: transaction.standby("b", 9))
    assert standby.names == {"content:c4": "content:c1", "upload:g": "content:c9"}
    assert standby.superseded == {"content:c4"}


def test_a_command_is_kept_with_its_answer(repository: Repository) -> None:
    register(repository, 1)
    request = command_request(Cancel())

    def keep(transaction: Transaction) -> Sequence[KeptCommand | None]:
        transaction.lock(["b"])
        transaction.keep_command(request, ANSWER)
        return [transaction.command("b", "command"), transaction.command("b", "other")]

    assert repository.transact(keep) == [KeptCommand(request.fingerprint, ANSWER), None]


def test_each_epoch_keeps_its_own_result_and_the_next_one_names_it(repository: Repository) -> None:
    register(repository, 1)
    decide_and_commit(repository, content("a"))
    first, second = (
        OutboxMessage(UUID(int=number), "b", "Kind", f'"{number}"', "d", EndedBy.FULL, is_final=True)
        for number in (1, 2)
    )
    repository.transact(lambda transaction: transaction.keep_result(first))
    repository.transact(lambda transaction: transaction.keep_result(second))  # one is kept already
    change(
        repository,
        lambda b: BatchChange(b, moved(b, epoch=2, status=Status.OPEN, expected_count=2), added=("new",)),
    )
    assert snapshot_of(repository).previous_event_id == first.event_id
    assert repository.transact(lambda transaction: transaction.announce_again("b", 2)) is None
    again = repository.transact(lambda transaction: transaction.announce_again("b", 1))
    assert again is not None
    assert (again.event_id, again.detail) == (first.event_id, first.detail)


def test_a_batch_may_be_cancelled_before_it_is_registered(repository: Repository) -> None:
    decide_and_commit(repository, content("a"))
    excess = (content("a"), Excess(Reason.BATCH_CANCELLED))
    change(repository, lambda b: BatchChange(b, moved(b, status=Status.CANCELLED), (excess,)))
    assert snapshot_of(repository).batch.status is Status.CANCELLED
    assert snapshot_of(repository).details is None


def test_a_release_frees_the_slot_of_its_holder(repository: Repository) -> None:
    register(repository, 2)
    [outcome] = decide_and_commit(repository, content("a"))
    assert isinstance(outcome, Assigned)
    released = SupersededArrival("content:a", outcome.essay_id, by_command="command")
    change(repository, lambda b: BatchChange(b, moved(b, assigned_count=0), superseded=(released,)))
    assert len(snapshot_of(repository).available) == 2
