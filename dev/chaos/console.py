"""What a run prints: progress, the verdict in 80 columns, and a report that stays as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table

from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dev.chaos.experiment import Experiment
    from dev.chaos.reconciliation import CheckResult

WIDTH = 80
BREACHES_SHOWN, LINE_SHOWN = 5, 300  # breaches of each check, and characters of each; the report has all
REPORTS = ROOT / ".local" / "chaos"


def progress(experiment: Experiment) -> Table:
    """Return the state of an experiment as a table."""
    title = f"{experiment.title}, seed {experiment.seed}, {experiment.seconds:.0f} s"
    table = Table(title=title, show_header=False, width=WIDTH)
    table.add_column(style="bold")
    table.add_column(ratio=1)
    for name, value in figures(experiment).items():
        table.add_row(name, _as_text(value))
    return table


def phase_printer(write: Callable[[str], object]) -> Callable[[Experiment], None]:
    """Return an observer that writes one line per phase, for an output that is no terminal."""
    last = ("", "")

    def observe(experiment: Experiment) -> None:
        nonlocal last
        now = (experiment.title, experiment.phase)
        if now[0] != last[0]:
            write(f"{experiment.title}, seed {experiment.seed}:")
        if now != last:
            write(f"{experiment.seconds:6.0f} s  {experiment.phase}")
        last = now

    return observe


def figures(experiment: Experiment) -> dict[str, Any]:
    """Return what an experiment has done so far."""
    producer = getattr(experiment, "producer", None)
    consumer = getattr(experiment, "consumer", None)
    return {
        "phase": experiment.phase,
        "faults injected": len(experiment.injected),
        "instances killed while": dict(experiment.process_killer.kills),
        "invocations": dict(experiment.fleet.invocations),
        "batches sent": len(producer.batches) if producer else 0,
        "events sent": producer.sent if producer else 0,
        "poison messages sent": len(producer.poison) if producer else 0,
        "events published": len(consumer.received) if consumer else 0,
        "batches in Postgres": experiment.batch_statuses,
        "still pending": {name: count for name, count in experiment.pending.items() if count},
        "memory of instances": [
            f"{name}: {before:.1f}, later {after:.1f} MB"
            for name, (before, after) in experiment.leak_check.growth().items()
        ],
        "last error": experiment.fleet.last_error[:160],
    }


def verdict(results: Mapping[str, Sequence[CheckResult]]) -> Table:
    """Return a table of the checks, by the title of the experiment: what each claims and whether it holds."""
    table = Table(
        title="Reconciliation",
        caption="The promises have their numbers in dev/invariants/catalogue.py.",
        width=WIDTH,
    )
    table.add_column("check", ratio=1)
    table.add_column("promises")
    for title in results:
        table.add_column(title, max_width=16)
    for checks in zip(*results.values(), strict=True):
        numbers = ", ".join(str(number) for number in checks[0].promises) or "-"
        verdicts = [f"{len(check.breaches)} BROKEN" if check.breaches else "holds" for check in checks]
        table.add_row(checks[0].claim, numbers, *verdicts)
    return table


def breach_lines(results: Mapping[str, Sequence[CheckResult]]) -> Iterator[str]:
    """Yield the first breaches of each check, by the title of the experiment."""
    for title, checks in results.items():
        for check in checks:
            described = check.described()
            yield from (f"BROKEN, {title}: {line[:LINE_SHOWN]}" for line in described[:BREACHES_SHOWN])
            if len(described) > BREACHES_SHOWN:
                yield f"… and {len(described) - BREACHES_SHOWN} more of this check; the report has all"


def write_report(experiments: Sequence[Experiment], scenario: str, seed: int) -> Path:
    """Write everything as JSON and return the path."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / f"{scenario}-{seed}.json"
    content = [
        {
            "title": experiment.title,
            **figures(experiment),
            "faults injected": experiment.injected,
            "checks": [
                {"claim": result.claim, "promises": result.texts(), "breaches": result.breaches}
                for result in experiment.results
            ],
        }
        for experiment in experiments
    ]
    report = {"scenario": scenario, "seed": seed, "experiments": content}
    path.write_text(json.dumps(report, indent=1, default=str) + "\n", "utf-8")
    return path


def _as_text(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{count} {name}" for name, count in value.items()) or "-"
        case list():
            return "\n".join(value) or "-"
    return str(value) or "-"
