"""Compares the whole handler with bare loops over the same drivers doing the same work in the same run.

Measured: from the call with a chunk of arrivals to its return, when all is committed and published. The whole
handler gets SQS events, the bare loops get arrivals that are parsed already.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryFile

from rich.console import Console

from benchmarks.baselines.redis_and_postgres import BareLoop
from benchmarks.baselines.redis_only import Scripts
from benchmarks.candidates.handler import WholeHandler
from benchmarks.harness import BARE, SCRIPTS, WHOLE, Figures, Task, measure
from benchmarks.report import save, table_of
from benchmarks.servers import BUS, Stores
from benchmarks.workload import Shape

# Smaller chunks cost more per arrival, so that they get shorter traces.
QUICK = [
    Task(Shape(4, 50), 1, 5),
    Task(Shape(20, 50), 10, 5),
    Task(Shape(50, 50), 100, 5),
    Task(Shape(50, 50), 1_000, 5),
]
SHAPES = (Shape(200, 50), Shape(50, 200), Shape(1, 2_000))
FULL = [Task(shape, chunk, 7) for shape in SHAPES for chunk in (10, 100, 1_000)]
FULL += [Task(Shape(20, 50), 1, 7)]


def run(tasks: list[Task], console: Console) -> list[Figures]:
    """Start the servers, measure and stop them."""
    figures = []
    with Stores() as stores, TemporaryFile("w") as log:
        whole = WholeHandler(log)
        scripts = Scripts(stores.valkey.url)
        bare = BareLoop(scripts, stores.postgres.url, BUS)
        for task in tasks:
            console.print(f"measuring {task.shape} in SQS batches of {task.chunk} …")
            figures.append(measure(task, {WHOLE: whole, SCRIPTS: scripts, BARE: bare}, stores))
        for side in (whole, bare, scripts):
            side.close()
    return figures


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five short rounds; takes a minute")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/handler.json"))
    arguments = parser.parse_args()
    console = Console()
    figures = run(QUICK if arguments.quick else FULL, console)
    console.print(table_of(figures))
    save(figures, arguments.out)
    console.print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
