"""The part of the final state that must not depend on the order, number or interleaving of deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.environment import Environment


def final_state(environment: Environment) -> frozenset[tuple[object, ...]]:
    """Return the final state, except which content got which slot and which contents were too many."""
    return frozenset(
        (
            found.batch_id,
            found.batch.status,
            found.batch.assigned_count,
            found.batch.failed_count,
            len(found.excess),
            len(found.late),
            frozenset(found.outcomes()),
            frozenset(
                message.detail_type
                for message in environment.bus.accepted
                if message.batch_id == found.batch_id
            ),
            len(environment.poison),
        )
        for found in environment.stores.batches().values()
    )
