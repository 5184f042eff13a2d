"""Transactions that bring a repository into a state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from els_core.domain.arrivals import key_of
from els_core.domain.decisions import BatchChange, decide
from els_core.domain.outcomes import Assigned, Failed, Proposal, ProposalKind
from tests.factories import registration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.ports.repository import ParkedArrival, Repository, Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import Batch, BatchSnapshot
    from els_core.domain.outcomes import Outcome


def register(repository: Repository, slots: int, batch_id: str = "b", timeout_seconds: int = 3_600) -> Batch:
    def work(transaction: Transaction) -> Batch:
        transaction.lock([batch_id])
        return transaction.open([registration(slots, batch_id, timeout_seconds)])[batch_id]

    return repository.transact(work)


def decide_and_record(transaction: Transaction, *arrivals: Arrival) -> list[Outcome]:
    """Lock, decide and record arrivals without proposals; return their outcomes."""
    changes = []
    for batch in transaction.lock(sorted({arrival.batch_id for arrival in arrivals})).values():
        mine = [arrival for arrival in arrivals if arrival.batch_id == batch.batch_id]
        changes.append(decide(batch, mine, {}, transaction.locked_view(mine, {})))
    transaction.record(changes)
    return [outcome for change in changes for _, outcome in change.decided]


def decide_and_commit(repository: Repository, *arrivals: Arrival) -> list[Outcome]:
    """Decide and record in a transaction of its own."""
    return repository.transact(lambda transaction: decide_and_record(transaction, *arrivals))


def record_as(
    transaction: Transaction, *decided: tuple[Arrival, Outcome], version: int | None = None
) -> None:
    """Record the given outcomes, whether they are right or wrong."""
    [before] = transaction.lock(["b"]).values()
    assigned = sum(isinstance(outcome, Assigned) for _, outcome in decided)
    failed = sum(isinstance(outcome, Failed) for _, outcome in decided)
    after = replace(
        before,
        version=(before.version if version is None else version) + 1,
        assigned_count=before.assigned_count + assigned,
        failed_count=before.failed_count + failed,
    )
    transaction.record([BatchChange(before, after, decided)])


def snapshot_of(repository: Repository, batch_id: str = "b") -> BatchSnapshot:
    [found] = repository.snapshots([batch_id])
    return found


def parked_of(repository: Repository, batch_id: str = "b") -> list[ParkedArrival]:
    return repository.transact(lambda transaction: transaction.parked([batch_id], 1_000))


def proposals(arrivals: Sequence[Arrival], *essay_ids: str) -> dict[ArrivalKey, Proposal]:
    return {
        key_of(arrival): Proposal(ProposalKind.ASSIGNED, essay_id)
        for arrival, essay_id in zip(arrivals, essay_ids, strict=True)
    }
