"""Apply each mutant in turn, and find the first seed whose run notices."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from els_core.domain.errors import FaultError
from tests.simulation.mutant_table import MUTANTS
from tests.simulation.patches import applied
from tests.simulation.seed_ranges import PROCESSES, ignore_interrupts
from tests.simulation.seed_runs import run_seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dev.invariants.checks import Violation
    from tests.simulation.mutant_table import Mutant


class Trial(NamedTuple):
    """The first seed from 1 on whose run fails without the guard, and how; `seed` is None when none fails.

    `is_conclusive` is False when the run fails for another reason than the missing guard: it fails with the
    guard too, or the patched code raises an error that is not a fault of a store.
    """

    mutant: Mutant
    seed: int | None = None
    violation: Violation | None = None
    is_conclusive: bool = True

    @property
    def is_as_stated(self) -> bool:
        """Tell whether the mutant was noticed, or was not because another guard holds."""
        return self.is_conclusive and (self.seed is None) == bool(self.mutant.held_by)


def try_mutant(mutant: Mutant) -> Trial:
    """Run seeds with the mutant until one fails, up to the stated number."""
    with applied(mutant.patches):
        results = ((seed, run_seed(seed)) for seed in range(1, mutant.seeds + 1))
        failing = next((one for one in results if one[1].violation is not None), None)
    if failing is None:
        return Trial(mutant)
    seed, result = failing
    is_fault = result.error is None or isinstance(result.error, FaultError)
    return Trial(mutant, seed, result.violation, is_fault and run_seed(seed).violation is None)


def try_all() -> Iterator[Trial]:
    """Yield the trial of each mutant, in the order of the table."""
    with ProcessPoolExecutor(PROCESSES, initializer=ignore_interrupts) as pool:
        yield from pool.map(try_mutant, MUTANTS)


def as_table(trials: Sequence[Trial]) -> Table:
    """Return a table of guards: the seed that noticed, the seeds stated, the invariant that was violated."""
    table = Table(
        "guard removed", "seed", "of", "violated invariant, or the guard that holds", title="mutants"
    )
    for mutant, seed, violation, is_conclusive in trials:
        what = (
            f"{violation.invariant}: {violation.detail}"
            if violation
            else mutant.held_by or "NOTHING was noticed"
        )
        if not is_conclusive:
            what = f"NOT BECAUSE OF THE GUARD: {what}"
        table.add_row(mutant.guard, str(seed or "none"), str(mutant.seeds), what[:110])
    return table
