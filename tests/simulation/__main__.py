"""Simulate many seeds, replay one seed, or try the mutants."""

from __future__ import annotations

import argparse
import sys
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.mutant_table import MUTANTS
from tests.simulation.mutants import as_table, try_all
from tests.simulation.seed_ranges import first_failing_in_parallel, regression_seeds
from tests.simulation.seed_runs import run_seed
from tests.simulation.shrinking import shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.seed_runs import RunResult

CONSOLE = Console(highlight=False, soft_wrap=True)
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 1 when an invariant is violated or a mutant is not as stated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    seeds = commands.add_parser("seeds", help="simulate many seeds")
    seeds.add_argument("count", type=int)
    seeds.add_argument("--first", type=int, default=1, help="the first seed")
    seed = commands.add_parser("seed", help="replay the run of one seed and print its trace")
    seed.add_argument("seed", type=int)
    commands.add_parser("mutants", help="remove the guards one by one; the simulation must notice each")
    chosen = parser.parse_args(arguments)
    if chosen.command == "mutants":
        return _try_mutants()
    if chosen.command == "seed":
        return _replay(chosen.seed)
    return _simulate(range(chosen.first, chosen.first + chosen.count))


def _simulate(seeds: Sequence[int]) -> int:
    """Simulate the seeds, after those that have failed once."""
    started = perf_counter()
    with Progress(*COLUMNS, console=CONSOLE) as progress:
        bar = progress.add_task("seeds", total=len(seeds))
        failing = first_failing_in_parallel(regression_seeds(), lambda _: None)
        if failing is None:
            failing = first_failing_in_parallel(seeds, lambda finished: progress.advance(bar, finished))
    if failing is not None:
        _explain(failing, run_seed(failing))
        return 1
    seconds = perf_counter() - started
    CONSOLE.print(
        f"{len(seeds)} runs (seeds {seeds[0]} to {seeds[-1]}) in {seconds:.0f} s, "
        f"{len(seeds) / seconds:.0f} per second: no invariant violated"
    )
    return 0


def _replay(seed: int) -> int:
    """Print the whole trace of a seed, then the shrunk one if it fails."""
    result = run_seed(seed)
    for line in result.trace.lines():
        CONSOLE.print(line, markup=False)
    if result.violation is None:
        CONSOLE.print(f"seed {seed}: no invariant violated")
        return 0
    _explain(seed, result)
    return 1


def _try_mutants() -> int:
    """Print the table of mutants; return 1 when one of them is not as stated."""
    with Progress(*COLUMNS, console=CONSOLE) as progress:
        trials = list(progress.track(try_all(), total=len(MUTANTS), description="mutants"))
    CONSOLE.print(as_table(trials))
    found = [trial for trial in trials if trial.seed is not None and not trial.mutant.held_by]
    held = [trial for trial in trials if trial.seed is None and trial.mutant.held_by]
    wrong = [trial for trial in trials if not trial.is_as_stated]
    CONSOLE.print(f"{len(found)} mutants found; {len(held)} not counted, because another guard holds")
    for trial in wrong:
        CONSOLE.print(f"not as stated: {trial.mutant.guard}", markup=False)
    return 1 if wrong else 0


def _explain(seed: int, result: RunResult) -> None:
    """Print the shortest trace found that violates the same invariant."""
    CONSOLE.print(f"\nseed {seed} violates {result.violation}", markup=False)
    shrunk = shrink(result)
    CONSOLE.print(f"shrunk from {len(result.trace)} to {len(shrunk.trace)} lines:\n")
    for line in shrunk.trace.lines():
        CONSOLE.print(f"  {line}", markup=False)
    CONSOLE.print(f"\n{shrunk.violation}", markup=False)
    CONSOLE.print(f"Replay: make simulate SEED={seed}. Once fixed, add {seed} to tests/simulation/seeds.txt.")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        CONSOLE.print("interrupted")
        sys.exit(130)
