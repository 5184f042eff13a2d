"""What comes before its batch is parked and decided by its registration, whoever is quicker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.integration.environment import World
from tests.integration.test_deadline import both_at_once

if TYPE_CHECKING:
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival

ROUNDS = 80


@pytest.mark.fault(5)
@pytest.mark.parametrize("named_before", [False, True])
def test_a_registration_racing_the_parking_of_its_contents_leaves_none_behind(
    world: World, valkey: ValkeyServer, *, named_before: bool
) -> None:
    upstream = World(world.database_url, valkey.url)
    names = [f"b{number}" for number in range(ROUNDS)]
    if named_before:
        world.provision.provision([content("a", name) for name in names])
    with ThreadPoolExecutor(2) as pool:
        for name in names:
            arrivals: list[Arrival] = [content("a", name), failure("f", name)]
            both_at_once(
                partial(upstream.register.register, [registration(2, name)]),
                partial(world.provision.provision, arrivals),
                pool,
            )
    closed = world.bus.kinds() + upstream.bus.kinds()
    upstream.close()
    assert closed["BatchEssaysReady"] == ROUNDS
    assert all(world.snapshot(name).batch.status is Status.READY for name in names)


@pytest.mark.fault(5)
@pytest.mark.fault(7)
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_registration_may_come_anywhere_among_its_arrivals(world: World, order: tuple[int, ...]) -> None:
    arrivals: list[Arrival] = [content("a"), content("b"), failure("f")]
    for position in order:
        if position == len(arrivals):
            world.register.register([registration(3)])
        else:
            world.provision.provision([arrivals[position]])
    snapshot = world.snapshot()
    assert (len(snapshot.assigned), len(snapshot.slot_failures), snapshot.batch.status) == (
        2,
        1,
        Status.READY,
    )
    assert world.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.fault(5)
def test_more_parked_contents_than_slots_are_excess_once_each(world: World) -> None:
    early = [content(f"c{n}") for n in range(5)]
    assert world.outcomes(early) == {"parked": 5}
    assert world.outcomes(early) == {"parked": 5}
    world.register.register([registration(3)])
    assert world.bus.kinds() == {
        "EssaySlotsAssigned": 1,
        "ExcessContentProvisioned": 2,
        "BatchEssaysReady": 1,
    }
    assert world.outcomes(early) == {"duplicate": 5}


@pytest.mark.fault(7)
def test_a_failure_twice_or_after_the_success_of_its_file_counts_once_each(world: World) -> None:
    world.register.register([registration(3)])
    assert world.outcomes([failure("f"), failure("f")]) == {"failed": 1, "duplicate": 1}
    assert world.outcomes([content("f"), failure("f"), content("f")]) == {"assigned": 1, "duplicate": 2}
    assert world.outcomes([failure("g")]) == {"failed": 1}
    assert world.snapshot().batch.status is Status.READY
