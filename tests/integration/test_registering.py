"""Arrivals before their registration are parked and decided by it, also when both race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.integration.concurrency import run_both_at_once
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival

ROUNDS = 80


@pytest.mark.fault(5)
@pytest.mark.parametrize("batch_is_awaited", [False, True])
def test_a_registration_that_races_with_its_arrivals_leaves_none_parked(
    environment: Environment, valkey: ValkeyServer, *, batch_is_awaited: bool
) -> None:
    other = Environment(environment.database_url, valkey.url)
    names = [f"b{number}" for number in range(ROUNDS)]
    if batch_is_awaited:
        environment.provision(*(content("a", name) for name in names))
    with ThreadPoolExecutor(2) as pool:
        for name in names:
            arrivals: list[Arrival] = [content("a", name), failure("f", name)]
            run_both_at_once(
                partial(other.register, registration(2, name)),
                partial(environment.provision, *arrivals),
                pool,
            )
    counts = environment.bus.event_counts() + other.bus.event_counts()
    other.close()
    assert counts["BatchEssaysReady"] == ROUNDS
    assert all(environment.snapshot(name).batch.status is Status.READY for name in names)


@pytest.mark.fault(5)
@pytest.mark.fault(7)
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_registration_may_come_before_between_or_after_its_arrivals(
    environment: Environment, order: tuple[int, ...]
) -> None:
    arrivals: list[Arrival] = [content("a"), content("b"), failure("f")]
    for position in order:
        if position == len(arrivals):
            environment.register(registration(3))
        else:
            environment.provision(arrivals[position])
    snapshot = environment.snapshot()
    assert (len(snapshot.assigned), len(snapshot.slot_failures), snapshot.batch.status) == (
        2,
        1,
        Status.READY,
    )
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.fault(5)
def test_parked_contents_beyond_the_slots_are_announced_as_excess_once_each(environment: Environment) -> None:
    early = [content(f"c{n}") for n in range(5)]
    assert environment.outcomes(*early) == {"parked": 5}
    assert environment.outcomes(*early) == {"parked": 5}
    environment.register(registration(3))
    assert environment.bus.event_counts() == {
        "EssaySlotsAssigned": 1,
        "ExcessContentProvisioned": 2,
        "BatchEssaysReady": 1,
    }
    assert environment.outcomes(*early) == {"duplicate": 5}


@pytest.mark.fault(7)
def test_a_repeated_failure_counts_once_and_a_content_of_the_same_name_is_another_arrival(
    environment: Environment,
) -> None:
    environment.register(registration(3))
    assert environment.outcomes(failure("f"), failure("f")) == {"failed": 1, "duplicate": 1}
    assert environment.outcomes(content("f"), failure("f"), content("f")) == {"assigned": 1, "duplicate": 2}
    assert environment.outcomes(failure("g")) == {"failed": 1}
    assert environment.snapshot().batch.status is Status.READY
