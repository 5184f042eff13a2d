"""Short ways to bring a record into a state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.domain.arrivals import key_of
from els_core.domain.deciding import Change, decide
from els_core.domain.outcomes import Assigned, Failed, Proposal, Word
from tests.unit.facts import registration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.ports import ParkedArrival, Repository, Unit
    from els_core.domain.arrivals import Arrival, Key
    from els_core.domain.batches import Batch, Roll
    from els_core.domain.outcomes import Outcome


def register(repository: Repository, slots: int, batch_id: str = "b", timeout_seconds: int = 3_600) -> Batch:
    def work(unit: Unit) -> Batch:
        unit.lock([batch_id])
        return unit.open([registration(slots, batch_id, timeout_seconds)])[batch_id]

    return repository.transact(work)


def settle(unit: Unit, *arrivals: Arrival) -> list[Outcome]:
    """Lock, decide and record, without proposals."""
    changes = []
    for batch in unit.lock(sorted({arrival.batch_id for arrival in arrivals})).values():
        mine = [arrival for arrival in arrivals if arrival.batch_id == batch.batch_id]
        changes.append(decide(batch, mine, {}, unit.standing(mine, {})))
    unit.record(changes)
    return [outcome for change in changes for _, outcome in change.decided]


def settled(repository: Repository, *arrivals: Arrival) -> list[Outcome]:
    """Settle in a transaction of its own."""
    return repository.transact(lambda unit: settle(unit, *arrivals))


def record_as(unit: Unit, *decided: tuple[Arrival, Outcome], version: int | None = None) -> None:
    """Record outcomes as they are given, right or wrong."""
    [before] = unit.lock(["b"]).values()
    assigned = sum(isinstance(outcome, Assigned) for _, outcome in decided)
    failed = sum(isinstance(outcome, Failed) for _, outcome in decided)
    after = replace(
        before,
        version=(before.version if version is None else version) + 1,
        assigned_count=before.assigned_count + assigned,
        failed_count=before.failed_count + failed,
    )
    unit.record([Change(before, after, decided)])


def roll_of(repository: Repository, batch_id: str = "b") -> Roll:
    found = repository.find(batch_id)
    assert found is not None
    return found[0]


def parked_of(repository: Repository, batch_id: str = "b") -> list[ParkedArrival]:
    return repository.transact(lambda unit: unit.parked([batch_id]))


def proposals(arrivals: Sequence[Arrival], *essay_ids: str) -> dict[Key, Proposal]:
    return {
        key_of(arrival): Proposal(Word.ASSIGNED, essay_id)
        for arrival, essay_id in zip(arrivals, essay_ids, strict=True)
    }
