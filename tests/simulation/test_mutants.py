"""The simulation notices each guard that is removed, and the trace that shows it is short."""

from __future__ import annotations

import pytest

from tests.simulation.mutant_table import MUTANTS, Mutant, read_mutants
from tests.simulation.mutants import try_mutant
from tests.simulation.patches import Patch, applied
from tests.simulation.seed_runs import run_seed
from tests.simulation.shrinking import shrink

QUICK = 300  # seeds
BY_GUARD = {mutant.guard: mutant for mutant in MUTANTS}
COUNTED = [mutant for mutant in MUTANTS if not mutant.held_by]
BY_CONTENTS = Patch("els_core.domain.decisions", "not batch.is_full:", "batch.assigned_count < 1:")


def guard_of(mutant: Mutant) -> str:
    return mutant.guard


@pytest.mark.parametrize("mutant", [one for one in COUNTED if one.seeds <= QUICK], ids=guard_of)
def test_a_removed_guard_is_noticed(mutant: Mutant) -> None:
    trial = try_mutant(mutant)
    assert trial.is_as_stated, trial


def test_the_number_of_guards_only_grows() -> None:
    assert len(COUNTED) >= 59
    assert len(BY_GUARD) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=guard_of)
def test_every_patch_fits_its_module(mutant: Mutant) -> None:
    assert mutant.patches
    with applied(mutant.patches):
        pass


def test_a_mutant_whose_code_raises_an_error_of_its_own_does_not_count() -> None:
    broken = Patch("els_core.domain.decisions", "current = expire(batch, view.now)", "current = nonsense")
    trial = try_mutant(Mutant("broken", [broken]))
    assert trial.seed is not None
    assert not trial.is_as_stated


def test_a_mutant_does_not_count_when_the_run_fails_with_the_guard_too() -> None:
    without_outbox = next(one for one in MUTANTS if one.guard == "the outbox is filled in the transaction")
    with applied(without_outbox.patches):
        trial = try_mutant(Mutant("failing anyway", [BY_CONTENTS]))
    assert trial.seed is not None
    assert not trial.is_as_stated


def test_a_line_of_the_table_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(ValueError, match="seed: 3"):
        read_mutants("guard: a guard\nseed: 3")


def test_the_trace_of_a_violation_is_short() -> None:
    mutant = BY_GUARD["a parked arrival that was decided is no longer parked"]
    seed = try_mutant(mutant).seed
    assert seed is not None
    with applied(mutant.patches):
        result = run_seed(seed)
        shrunk = shrink(result)
    assert shrunk.violation is not None
    assert result.violation is not None
    assert shrunk.violation.invariant == result.violation.invariant
    assert len(shrunk.trace) <= 12
