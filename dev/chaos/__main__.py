"""python -m dev.chaos: run the chaos or the endurance scenario for some minutes, then reconcile."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from dev.chaos.console import WIDTH, phase_printer, progress, verdict, violation_lines, write_report
from dev.chaos.experiment import Experiment
from dev.chaos.redis_topologies import Cluster, PrimaryWithReplica
from dev.chaos.scenarios import chaos, endurance, fault_schedule
from dev.deploy import sam
from dev.programs.process import exit_on_sigterm
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.chaos.redis_topologies import RedisTopology

type Scenario = Callable[[Experiment, float], None]
type Observer = Callable[[Experiment], None]


def _chaos(experiment: Experiment, seconds: float) -> None:
    chaos(experiment, seconds, fault_schedule(experiment))


# The experiments of each scenario, with their shares of the time.
SCENARIOS: dict[str, list[tuple[str, Callable[[], RedisTopology], Scenario, float]]] = {
    "chaos": [
        ("one Valkey with a replica", PrimaryWithReplica, _chaos, 0.65),
        ("a Valkey cluster", Cluster, _chaos, 0.35),
    ],
    "endurance": [("steady load", PrimaryWithReplica, endurance, 1.0)],
}


def main() -> int:
    """Run the experiments of a scenario; return 1 if an invariant was broken."""
    arguments = _arguments()
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    experiments: list[Experiment] = []
    console.print("building the functions with sam, unless they are built already")
    with _observer(console) as observer, sam.built() as built:
        for title, topology, scenario, share in SCENARIOS[arguments.scenario]:
            experiment = Experiment(
                title, topology(), built, arguments.seed, arguments.rate, observer=observer
            )
            experiments.append(experiment)
            with experiment:
                scenario(experiment, arguments.minutes * 60 * share)
    for experiment in experiments:
        console.print(progress(experiment))
    results = {experiment.title: experiment.results for experiment in experiments}
    console.print(verdict(results))
    for line in violation_lines(results):
        console.print(line, markup=False, highlight=False)
    path = write_report(experiments, arguments.scenario, arguments.seed)
    violations = sum(len(experiment.violations) for experiment in experiments)
    console.print(
        f"{violations} violations; report: {path.relative_to(ROOT)}; SEED={arguments.seed} repeats the run"
    )
    return 1 if violations else 0


@contextmanager
def _observer(console: Console) -> Iterator[Observer]:
    """Show progress as a live table in a terminal, and as one line per phase elsewhere."""
    if not console.is_terminal:
        yield phase_printer(lambda line: print(line, flush=True))
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield lambda experiment: live.update(progress(experiment))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.chaos", description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long the load lasts, 5 by default")
    parser.add_argument("--seed", type=int, default=Random().randrange(1_000_000))
    parser.add_argument("--rate", type=float, default=40.0, help="events per second, 40 by default")
    return parser.parse_args()


if __name__ == "__main__":
    exit_on_sigterm()
    sys.exit(main())
