"""Every mutation, and how many seeds the simulator needs to notice it."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from tests.simulation.mutations_of_domain import RULES
from tests.simulation.mutations_of_stores import STORES
from tests.simulation.mutations_of_use_cases import USE_CASES
from tests.simulation.seed_checks import live_seed
from tests.simulation.seed_ranges import PROCESSES, leave_interruptions_to_the_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dev.invariants.checks import Violation
    from tests.simulation.mutations import Mutation

MISFITS = ("TypeError", "AttributeError", "NameError")
MUTATIONS = (*RULES, *USE_CASES, *STORES)


class Noticed(NamedTuple):
    """The first of the seeds from 1 on whose world breaks without the guard; none when all held."""

    number: int
    seed: int | None = None
    breach: Violation | None = None

    @property
    def mutation(self) -> Mutation:
        """Return what was taken out."""
        return MUTATIONS[self.number]

    @property
    def is_as_stated(self) -> bool:
        """Tell whether a mutant was found, and one that another guard holds was not.

        A mutation that no longer fits the code that it mutates proves nothing.
        """
        is_misfit = self.breach is not None and self.breach.detail.startswith(MISFITS)
        return not is_misfit and (self.seed is None) == bool(self.mutation.held_by)


def notice(number: int) -> Noticed:
    """Let worlds live without a guard, one by one up to its limit."""
    mutation = MUTATIONS[number]
    with mutation.applied():
        for seed in range(1, mutation.limit + 1):
            if (breach := live_seed(seed).breach) is not None:
                return Noticed(number, seed, breach)
    return Noticed(number)


def notice_all() -> Iterator[Noticed]:
    """Yield each mutation as soon as it is tried."""
    with ProcessPoolExecutor(PROCESSES, initializer=leave_interruptions_to_the_parent) as pool:
        yield from pool.map(notice, range(len(MUTATIONS)))


def table_of(noticed: Sequence[Noticed]) -> Table:
    """Return the table: guard, seeds needed, stated limit, what broke."""
    table = Table("guard taken out", "seeds", "limit", "what broke, or what holds it", title="mutants")
    for one in noticed:
        mutation, seed, breach = one.mutation, one.seed, one.breach
        what = (
            f"{breach.invariant}: {breach.detail}" if breach else mutation.held_by or "NOTHING: it survives"
        )
        table.add_row(mutation.guard, str(seed or "none"), str(mutation.limit), what[:110])
    return table
