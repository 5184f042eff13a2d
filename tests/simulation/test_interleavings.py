"""The final state of a batch does not depend on the order, the number or the interleaving of deliveries."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.simulation.exploring import Course, courses
from tests.simulation.final import final
from tests.simulation.stores import RealStores
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration

type Order = tuple[Arrival | Registration, ...]

DAY = 86_400
A, C, D = content("a"), content("c"), content("d")
F = failure("f")


def batch(slots: int) -> Registration:
    return registration(slots, timeout_seconds=DAY)


def orders(*events: Arrival | Registration) -> set[Order]:
    """Return every order in which these can come."""
    return set(permutations(events))


def follow(world: World, order: Order) -> None:
    """Deliver one by one, and check the promises after each."""
    for one in order:
        world.send(one)
        world.register()
        world.provision()
        assert world.breaches(is_quiet=False) == []
    world.drain()
    assert world.breaches(is_quiet=True) == []
    assert world.echo() == []
    assert world.misknown() == []


SMALL: dict[str, Order] = {
    "full with a failure": (batch(3), A, A, C, F, F),
    "all failed": (batch(2), F, failure("g"), F, batch(2)),
    "still open": (batch(4), A, C, A, F),
    "never registered": (A, A, F, C),
}


@pytest.mark.parametrize("events", SMALL.values(), ids=SMALL)
def test_every_order_of_deliveries_gives_the_same_final_state(
    events: Order,
) -> None:
    finals = set()
    for order in orders(*events):
        world = World()
        follow(world, order)
        finals.add(final(world))
    assert len(finals) == 1


def test_with_more_contents_than_slots_only_which_are_excess_depends_on_the_order() -> None:
    finals = set()
    for order in orders(batch(2), A, C, D, A):
        world = World()
        follow(world, order)
        [page] = world.stores.pages().values()
        finals.add(
            (page.batch.status, page.batch.assigned_count, len(page.excess), frozenset(page.outcomes()))
        )
    assert finals == {(Status.READY, 2, 1, frozenset({"content:a", "content:c", "content:d"}))}


@pytest.fixture
def real_stores(postgres: PostgresServer, database_url: str, valkey: ValkeyServer) -> Iterator[RealStores]:
    del postgres
    with closing(RealStores(database_url, valkey.url, timedelta(days=90))) as stores:
        yield stores


def test_every_order_gives_the_same_final_state_on_real_stores(real_stores: RealStores) -> None:
    finals = set()
    for order in orders(batch(2), A, A, F):
        real_stores.clear()
        world = World(real_stores)
        follow(world, order)
        finals.add(final(world))
    assert len(finals) == 1


def race(course: Course) -> World:
    """Let one registration and two provisioning processes take turns."""
    world = World()
    world.send(batch(2), A, A, F)
    world.turns.spawn("register", world.register)
    world.turns.spawn("provision", lambda: world.provision(1))
    world.turns.spawn("provision more", lambda: world.provision(2))
    world.turns.run(course)
    assert world.breaches(is_quiet=False) == [], course.taken
    world.drain()
    assert world.breaches(is_quiet=True) == [], course.taken
    return world


def test_registration_and_arrivals_may_interleave_at_every_call() -> None:
    finals = set()
    count = 0
    for course in courses(interruptions=2):
        finals.add(final(race(course)))
        count += 1
    assert len(finals) == 1
    assert count > 1_000
