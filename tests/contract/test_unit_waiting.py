"""What the port `Unit` promises of what waits, parked or past its time: on the fake and on Postgres."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.domain.arrivals import key_of
from els_core.domain.outcomes import Parked
from tests.contract.deciding import parked_of, register, roll_of, settled
from tests.unit.facts import content, failure

if TYPE_CHECKING:
    from els_core.application.ports import ParkedArrival, Repository, Unit
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch
    from tests.contract.records import Record

HOUR = timedelta(hours=1)


def test_what_is_parked_comes_back_in_its_order_and_only_once(repository: Repository) -> None:
    arrivals: list[Arrival] = [content("z"), failure("m"), content("a")]
    for arrival in [*arrivals, arrivals[0]]:
        assert settled(repository, arrival) == [Parked()]
    assert [row.arrival for row in parked_of(repository)] == arrivals
    repository.transact(lambda unit: unit.unpark([key_of(failure("m")), ("b", "content:unknown")]))
    assert [row.identity for row in parked_of(repository)] == ["content:z", "content:a"]


def test_what_can_no_longer_be_read_stays_parked_by_its_identity(
    record: Record, repository: Repository
) -> None:
    settled(repository, content("a"), content("c"))
    record.make_unreadable("content:a")
    assert [(row.identity, row.arrival) for row in parked_of(repository)] == [
        ("content:a", None),
        ("content:c", content("c")),
    ]


def test_overdue_batches_come_by_deadline_with_the_records_time(
    record: Record, repository: Repository
) -> None:
    for batch_id, seconds in (("late", 30), ("later", 40), ("never", 9_000), ("first", 20)):
        register(repository, 2, batch_id, seconds)
    register(repository, 1, "closed", 10)
    settled(repository, content("a", "closed"), content("a", "awaited"))
    record.advance(timedelta(seconds=60))
    now, batches = repository.transact(lambda unit: unit.overdue(10))
    assert [batch.batch_id for batch in batches] == ["first", "late", "later"]
    assert all(batch.deadline is not None and batch.deadline <= now for batch in batches)
    _, page = repository.transact(lambda unit: unit.overdue(2))
    assert [batch.batch_id for batch in page] == ["first", "late"]


def test_overdue_batches_that_another_holds_are_skipped(record: Record, repository: Repository) -> None:
    for batch_id in ("a", "c"):
        register(repository, 2, batch_id, 10)
    record.advance(HOUR)
    other = record.repository()

    def work(unit: Unit) -> list[Batch]:
        unit.lock(["a"])
        return other.transact(lambda theirs: theirs.overdue(1))[1]

    assert [batch.batch_id for batch in repository.transact(work)] == ["c"]
    assert len(repository.transact(lambda unit: unit.overdue(5))[1]) == 2


def test_parked_arrivals_are_announced_once_when_they_are_overdue(
    record: Record, repository: Repository
) -> None:
    settled(repository, content("z"), failure("f"), content("a", "other"))
    assert repository.transact(lambda unit: unit.overdue_parked(HOUR, 10))[1] == []
    record.advance(HOUR)
    settled(repository, content("young"))
    _, found = repository.transact(lambda unit: unit.overdue_parked(HOUR, 10))
    assert [(batch.batch_id, batch.version, [row.arrival for row in rows]) for batch, rows in found] == [
        ("b", 3, [content("z"), failure("f")]),
        ("other", 2, [content("a", "other")]),
    ]
    assert roll_of(repository).batch.version == 3
    assert repository.transact(lambda unit: unit.overdue_parked(HOUR, 10))[1] == []
    assert len(parked_of(repository)) == 3


def test_overdue_parked_arrivals_of_a_held_or_registered_batch_are_skipped(
    record: Record, repository: Repository
) -> None:
    for batch_id in ("held", "registered", "waits"):
        settled(repository, content("a", batch_id))
    register(repository, 2, "registered")
    record.advance(HOUR)
    other = record.repository()

    def work(unit: Unit) -> list[tuple[Batch, list[ParkedArrival]]]:
        unit.lock(["held"])
        return other.transact(lambda theirs: theirs.overdue_parked(HOUR, 10))[1]

    assert [batch.batch_id for batch, _ in repository.transact(work)] == ["waits"]
