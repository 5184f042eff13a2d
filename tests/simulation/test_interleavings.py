"""The final state of a batch does not depend on the order, the number or the interleaving of deliveries."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.simulation.environment import Environment
from tests.simulation.final_state import final_state
from tests.simulation.interleavings import Interleaving, interleavings
from tests.simulation.stores import RealStores

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


def follow(environment: Environment, order: Order) -> None:
    """Deliver the events one by one, and check the invariants after each."""
    for one in order:
        environment.send(one)
        environment.register()
        environment.provision()
        assert environment.violations(is_quiescent=False) == []
    environment.drain()
    assert environment.violations(is_quiescent=True) == []
    assert environment.changes_by_redelivery() == []
    assert environment.coordinator_errors() == []


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
        environment = Environment()
        follow(environment, order)
        finals.add(final_state(environment))
    assert len(finals) == 1


def test_with_more_contents_than_slots_only_which_are_excess_depends_on_the_order() -> None:
    finals = set()
    for order in orders(batch(2), A, C, D, A):
        environment = Environment()
        follow(environment, order)
        [found] = environment.stores.batches().values()
        finals.add(
            (found.batch.status, found.batch.assigned_count, len(found.excess), frozenset(found.outcomes()))
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
        environment = Environment(real_stores)
        follow(environment, order)
        finals.add(final_state(environment))
    assert len(finals) == 1


def race(interleaving: Interleaving) -> Environment:
    """Interleave one registration with two invocations that provision."""
    environment = Environment()
    environment.send(batch(2), A, A, F)
    environment.scheduler.spawn("register", environment.register)
    environment.scheduler.spawn("provision", lambda: environment.provision(1))
    environment.scheduler.spawn("provision more", lambda: environment.provision(2))
    environment.scheduler.run(interleaving)
    assert environment.violations(is_quiescent=False) == [], interleaving.taken
    environment.drain()
    assert environment.violations(is_quiescent=True) == [], interleaving.taken
    return environment


def test_registration_and_arrivals_may_interleave_at_every_call() -> None:
    finals = set()
    count = 0
    for interleaving in interleavings(preemptions=2):
        finals.add(final_state(race(interleaving)))
        count += 1
    assert len(finals) == 1
    assert count > 1_000
