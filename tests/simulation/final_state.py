"""The part of the final state that must not depend on the order, number or interleaving of deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.environment import Environment


def final_state(environment: Environment) -> frozenset[tuple[object, ...]]:
    """Return the final state, except which content got which slot and which contents were too many."""
    return frozenset(
        (
            page.batch_id,
            page.batch.status,
            page.batch.assigned_count,
            page.batch.failed_count,
            len(page.excess),
            len(page.late),
            frozenset(page.ends()),
            frozenset(
                message.detail_type
                for message in environment.bus.accepted
                if message.batch_id == page.batch_id
            ),
            len(environment.poison),
        )
        for page in environment.stores.pages().values()
    )
