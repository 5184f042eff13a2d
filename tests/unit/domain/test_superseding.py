"""What supersedes what: the same in every order, and never more than it says."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from els_core.domain.superseding import heirs, superseded_by, takes_effect
from tests.factories import content, failure
from tests.steering_walkthrough import Walkthrough, c
from tests.unit.application.test_steer_batch import InMemoryStage

NAMES = {"c5": "c4", "c4": "c1", "x1": "x2", "x2": "x1", "d4": "c1"}


@pytest.mark.parametrize(
    ("effective", "already", "superseded"),
    [
        ([], [], {}),
        (["c4"], [], {"c1": "c4"}),
        (["c5"], [], {"c4": "c5", "c1": "c4"}),
        (["c5", "c4"], [], {"c4": "c5", "c1": "c4"}),
        (["c4", "d4"], [], {"c1": "c4"}),
        (["c5"], ["c4"], {}),
        (["x1"], [], {"x2": "x1", "x1": "x2"}),
    ],
)
def test_what_is_superseded_supersedes_in_turn(
    effective: list[str], already: list[str], superseded: dict[str, str]
) -> None:
    assert superseded_by(effective, NAMES, already) == superseded


def test_the_first_heir_takes_the_slot_and_a_chain_leads_to_it() -> None:
    c5, d4 = content("c5", supersedes="content:c4"), content("d4", supersedes="content:c1")
    names = {"content:c4": "content:c1"}
    freed = {"content:c1": "s1", "upload:f": "s2"}
    assert heirs([c5, d4], names, freed) == ({"content:c5": "s1"}, ["s2"])
    assert heirs([d4, c5], names, freed) == ({"content:d4": "s1"}, ["s2"])


def test_only_a_content_takes_effect_by_itself() -> None:
    assert takes_effect(content("c"))
    assert not takes_effect(failure("f"))


# Each chain: slots, arrivals, and what becomes of them in every order and grouping around the registration.
CHAINS = [
    (3, [("c5", "c4"), ("c4", "c1"), ("c1", None)], "open {c5} superseded {c1 c4}"),
    (3, [("c1", None), ("g4", "c1"), ("c7", "g4")], "open {c7} superseded {c1 g4}"),
    (3, [("c4", "c1"), ("d4", "c1"), ("c1", None)], "open {c4 d4} superseded {c1}"),
    (3, [("x1", "x2"), ("x2", "x1")], "open superseded {x1 x2}"),
    (3, [("c1", None), ("g4", "c1"), ("c2", None)], "open {c1 c2} late {g4}"),
    (2, [("f1", None), ("c4", "f1")], "open {c4} superseded {f1}"),
]


@pytest.mark.parametrize(("slots", "chain", "state"), CHAINS)
def test_a_chain_ends_the_same_in_every_order_and_grouping(
    slots: int, chain: list[tuple[str, str | None]], state: str
) -> None:
    for order in permutations(chain):
        for cuts in product([True, False], repeat=len(order) - 1):
            for registered in range(len(order) + 1):
                assert told(slots, list(order), list(cuts), registered) == state, (order, cuts, registered)


def told(slots: int, order: list[tuple[str, str | None]], cuts: list[bool], registered: int) -> str:
    """Deliver in this order, cut into calls, with the registration before the call of this position."""
    walkthrough = Walkthrough(InMemoryStage(), twice=True)
    call: list[tuple[str, str | None]] = []
    for position, arrival in enumerate(order):
        if position == registered:
            walkthrough.register(slots)
        call.append(arrival)
        if position == len(order) - 1 or cuts[position]:
            walkthrough.arrive(*(c(name, supersedes) for name, supersedes in call))
            call = []
    if registered == len(order):
        walkthrough.register(slots)
    return walkthrough.state()
