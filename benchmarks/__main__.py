"""Measures the service beside the limit and beside its peers, in one run on the same servers."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks import (
    cold_start,
    comparison,
    cost,
    growth,
    redis_bytes,
    round_trips,
    throughput,
    workers,
)
from benchmarks.bench import Bench, Effort
from benchmarks.candidates.handler import Handler
from benchmarks.report import markdown, save
from benchmarks.servers import Servers
from dev.programs.process import exit_on_sigterm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.report import Section

PARTS: Mapping[str, Callable[[Bench], Section]] = {
    "throughput": throughput.measure,
    "peers": comparison.measure,
    "trips": round_trips.count_trips,
    "rtt": round_trips.measure_rtt,
    "redis": redis_bytes.measure,
    "growth": growth.measure,
    "workers": workers.measure,
    "cold_start": cold_start.measure,
    "cost": cost.measure,
}


def run(parts: Sequence[str], effort: Effort, console: Console) -> list[Section]:
    """Start the servers, measure part by part and stop the servers."""
    sections, seconds = [], {}
    with Servers() as servers, TemporaryFile("w") as log:
        handler = Handler(log)

        def say(line: str) -> None:
            console.print(f"  {line} …", highlight=False)

        for number, name in enumerate(parts, 1):
            console.print(f"{number} of {len(parts)}: {name}", highlight=False)
            start = monotonic()
            sections.append(PARTS[name](Bench(servers, handler, effort, say)))
            seconds[name] = monotonic() - start
        handler.close()
    console.print("seconds: " + ", ".join(f"{name} {seconds[name]:.0f}" for name in parts), highlight=False)
    return sections


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--effort", type=Effort, choices=list(Effort), default=Effort.FULL)
    parser.add_argument("--only", choices=list(PARTS), action="append", help="one part; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/bench.json"))
    arguments = parser.parse_args()
    console = Console(stderr=True)
    sections = run(arguments.only or list(PARTS), arguments.effort, console)
    print(markdown(sections))
    files = save(sections, arguments.out)
    console.print("written: " + ", ".join(map(str, files)), highlight=False)


if __name__ == "__main__":
    exit_on_sigterm()
    main()
