"""What must not depend on the order, the number or the fate of deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


def final(world: World) -> frozenset[tuple[object, ...]]:
    """Return the final state: not which slot a content got, nor which were too many, but all else."""
    return frozenset(
        (
            page.batch_id,
            page.batch.status,
            page.batch.assigned_count,
            page.batch.failed_count,
            len(page.excess),
            len(page.late),
            frozenset(page.outcomes()),
            frozenset(
                message.detail_type for message in world.bus.taken if message.batch_id == page.batch_id
            ),
            len(world.poison),
        )
        for page in world.stores.pages().values()
    )
