"""Snapshots to install, and shortcuts to the coordinator."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from els_core.adapters.redis import keys
from els_core.domain.batches import Batch, BatchSnapshot, Status
from els_core.domain.outcomes import Proposal, ProposalKind
from tests import factories

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
    held = factories.snapshot(slots, assigned, failed)
    row = row or at()
    batch = replace(
        held.batch, batch_id=row.batch_id, status=row.status, version=row.version, deadline=deadline
    )
    return replace(held, batch=batch)


def propose(coordinator: CoordinatorUnderTest, *arrivals: Arrival) -> list[Proposal]:
    return coordinator.port.propose(arrivals, coordinator.now())


def install(coordinator: CoordinatorUnderTest, *snapshots: BatchSnapshot) -> None:
    coordinator.port.install(snapshots, coordinator.now())
