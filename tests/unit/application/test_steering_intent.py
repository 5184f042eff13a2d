"""Guards of intent: without one of them no invariant breaks, but a scenario ends otherwise."""

from __future__ import annotations

import pytest

from tests.simulation.patches import Patch, applied
from tests.steering_scenarios import SCENARIOS
from tests.steering_walkthrough import Walkthrough
from tests.unit.application.test_steer_batch import InMemoryStage

DECISIONS, REOPENING = "els_core.domain.decisions", "els_core.domain.reopening"
GUARDS = {
    "what supersedes another takes effect": Patch(
        DECISIONS, "or not any(one.supersedes for one in arrivals)", "or True"
    ),
    "what is superseded supersedes in turn": Patch(
        "els_core.domain.superseding", "waiting.append(target)", "pass"
    ),
    "nothing to wait for is judged before anything is taken in": Patch(
        REOPENING, "if not free and not places.freed:", "if len(free) <= len(standby.excess):"
    ),
    "a re-opening takes in what was excess": Patch(
        REOPENING,
        "[(one, outcome) for one, outcome in outcomes if isinstance(outcome, Assigned)]",
        "[(one, outcome) for one, outcome in outcomes if False and isinstance(outcome, Assigned)]",
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_scenario_notices_a_guard_of_intent_that_is_removed(guard: str) -> None:
    noticed = []
    with applied([GUARDS[guard]]):
        for name, scenario in SCENARIOS.items():
            try:
                scenario(Walkthrough(InMemoryStage()))
            except AssertionError:
                noticed.append(name)
    assert noticed
