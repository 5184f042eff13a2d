"""`python -m tests.simulation`: many worlds, one world again, or the mutants."""

from __future__ import annotations

import argparse
import sys
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.mutants import MUTATIONS, notice_all, table_of
from tests.simulation.seed_checks import live_seed, shortest
from tests.simulation.seed_ranges import broken_among, failed_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.seed_checks import Life

CONSOLE = Console(highlight=False, soft_wrap=True)
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 1 when a promise is broken or a mutant survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    worlds = commands.add_parser("worlds", help="let many random worlds live")
    worlds.add_argument("count", type=int)
    worlds.add_argument("--first", type=int, default=1, help="the first seed")
    world = commands.add_parser("world", help="let the world of one seed live again and tell its story")
    world.add_argument("seed", type=int)
    commands.add_parser("mutants", help="take out the guards one by one and see each be noticed")
    chosen = parser.parse_args(arguments)
    if chosen.command == "mutants":
        return _mutants()
    if chosen.command == "world":
        return _world(chosen.seed)
    return _worlds(range(chosen.first, chosen.first + chosen.count))


def _worlds(seeds: Sequence[int]) -> int:
    """Let the worlds live, after those that have failed once."""
    begun = perf_counter()
    with Progress(*COLUMNS, console=CONSOLE) as progress:
        bar = progress.add_task("worlds", total=len(seeds))
        again = broken_among(failed_once(), lambda _: None)
        broken = broken_among(seeds, lambda lived: progress.advance(bar, lived)) if again is None else again
    if broken is not None:
        _tell(broken, live_seed(broken))
        return 1
    seconds = perf_counter() - begun
    CONSOLE.print(
        f"{len(seeds)} worlds (seeds {seeds[0]} to {seeds[-1]}) in {seconds:.0f} s, "
        f"{len(seeds) / seconds:.0f} a second: every promise held"
    )
    return 0


def _world(seed: int) -> int:
    """Tell one world as it was, and in short when a promise broke."""
    life = live_seed(seed)
    for line in life.story.read():
        CONSOLE.print(line, markup=False)
    if life.breach is None:
        CONSOLE.print(f"seed {seed}: every promise held")
        return 0
    _tell(seed, life)
    return 1


def _mutants() -> int:
    """Print the table; return 1 when a mutant survives."""
    with Progress(*COLUMNS, console=CONSOLE) as progress:
        noticed = list(progress.track(notice_all(), total=len(MUTATIONS), description="mutants"))
    CONSOLE.print(table_of(noticed))
    found = [one for one in noticed if one.seed is not None and not one.mutation.held_by]
    held = [one for one in noticed if one.mutation.held_by and one.seed is None]
    wrong = [one.mutation.guard for one in noticed if not one.is_as_stated]
    CONSOLE.print(f"{len(found)} mutants found, {len(held)} guards that another one backs, not counted")
    for guard in wrong:
        CONSOLE.print(f"not as stated: {guard}", markup=False)
    return 1 if wrong else 0


def _tell(seed: int, life: Life) -> None:
    """Print the shortest story that shows what is broken."""
    CONSOLE.print(f"\nseed {seed} breaks {life.breach}", markup=False)
    short = shortest(life)
    CONSOLE.print(f"the shortest story that shows it ({len(short.story)} of {len(life.story)} lines):\n")
    for line in short.story.read():
        CONSOLE.print(f"  {line}", markup=False)
    CONSOLE.print(f"\n{short.breach}", markup=False)
    CONSOLE.print(
        f"again: make simulate SEED={seed}; once it is mended, add {seed} to tests/simulation/seeds.txt"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        CONSOLE.print("stopped")
        sys.exit(130)
