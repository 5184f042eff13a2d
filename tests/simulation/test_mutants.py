"""The simulator has teeth: a guard that is gone is noticed, and the story that shows it is short."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTATIONS, notice
from tests.simulation.seed_checks import live_seed, shortest

QUICK = 300  # seeds
NUMBERS = {mutation.guard: number for number, mutation in enumerate(MUTATIONS)}
COUNTED = [mutation for mutation in MUTATIONS if not mutation.held_by]


@pytest.mark.parametrize("guard", [one.guard for one in COUNTED if one.limit <= QUICK])
def test_a_guard_that_is_gone_is_noticed(guard: str) -> None:
    noticed = notice(NUMBERS[guard])
    assert noticed.is_as_stated, noticed


def test_there_are_many_guards_and_each_is_back_in_its_place_afterwards() -> None:
    assert len(COUNTED) >= 35
    before = [[getattr(swap.owner, swap.name) for swap in one.swaps] for one in MUTATIONS]
    for one in MUTATIONS:
        with one.applied():
            pass
    assert [[getattr(swap.owner, swap.name) for swap in one.swaps] for one in MUTATIONS] == before


def test_the_story_of_a_broken_promise_is_short() -> None:
    number = NUMBERS["what was decided is parked no longer"]
    seed = notice(number).seed
    assert seed is not None
    with MUTATIONS[number].applied():
        life = live_seed(seed)
        short = shortest(life)
    assert short.breach is not None
    assert life.breach is not None
    assert short.breach.invariant == life.breach.invariant
    assert len(short.story) <= 12
