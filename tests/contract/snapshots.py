"""Snapshots to install, and shortcuts to the coordinator."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from els_core.adapters.redis import keys
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.domain.batches import AssignedSlot, Batch, BatchSnapshot, RecordedFailure, Status
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.factories import failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.arrivals import Arrival
    from tests.contract.coordinators import CoordinatorUnderTest

HOUR = timedelta(hours=1)
UNKNOWN = Proposal(ProposalKind.UNKNOWN)
FULL = Proposal(ProposalKind.FULL)
FIVE = keys.ALL[:5]


def at(version: int = 1, status: Status = Status.OPEN, batch_id: str = "b") -> Batch:
    """Return the row of a batch without its counts."""
    return Batch(batch_id, status, version)


def snapshot(
    slots: int,
    deadline: datetime,
    row: Batch | None = None,
    assigned: Sequence[str] = (),
    failed: Sequence[str] = (),
) -> BatchSnapshot:
    """Return a batch whose first slots are assigned to contents, the next ones failed, the others free."""
    batch = replace(row or at(), expected_count=slots, deadline=deadline, fingerprint="fingerprint")
    batch = replace(batch, assigned_count=len(assigned), failed_count=len(failed))
    essay_ids = iter([f"essay-{number:04}" for number in range(slots)])
    holders = tuple(AssignedSlot(next(essay_ids), name, f"{name}.txt") for name in assigned)
    failures = tuple(
        RecordedFailure(failure(name).identity, next(essay_ids), f"{name}.txt", "EMPTY_CONTENT")
        for name in failed
    )
    return BatchSnapshot(batch, None, tuple(essay_ids), holders, failures)


def propose(coordinator: CoordinatorUnderTest, *arrivals: Arrival) -> list[Proposal]:
    """Return the proposals without the version, which most tests are not about."""
    proposals = coordinator.port.propose(arrivals, coordinator.now())
    return [replace(proposal, version=None) for proposal in proposals]


def install(coordinator: CoordinatorUnderTest, *snapshots: BatchSnapshot) -> None:
    coordinator.port.install(list(map(CoordinatorUpdate, snapshots)), coordinator.now())
