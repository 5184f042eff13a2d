"""What a run looks like: one live table, and a report that stays."""

from __future__ import annotations

import json
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.table import Table

from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dev.chaos.experiment import Act

SHOWN = 5
REPORTS = ROOT / ".local" / "chaos"


def progress(act: Act) -> Table:
    """Return the state of a run as a table."""
    table = Table(title=f"{act.title}, seed {act.seed}, {monotonic() - act.began:.0f} s", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in figures(act).items():
        table.add_row(name, _spoken(value))
    return table


def figures(act: Act) -> dict[str, Any]:
    """Return what a run has done so far."""
    upstream, heard = getattr(act, "upstream", None), getattr(act, "listener", None)
    return {
        "now": act.phase,
        "faults": len(act.faults),
        "kills": dict(act.killer.kills),
        "invocations": dict(act.fleet.invocations),
        "batches announced": len(upstream.plans) if upstream else 0,
        "events sent": upstream.sent if upstream else 0,
        "poison": len(upstream.poison) if upstream else 0,
        "events heard": len(heard.heard) if heard else 0,
        "batches in the record": act.statuses,
        "waiting for": {name: count for name, count in act.waits_for.items() if count},
        "memory, MB": {
            name: f"{before:.1f} then {after:.1f}" for name, (before, after) in act.memory.growth().items()
        },
        "last error": act.fleet.last_error[:160],
    }


def verdict(acts: Sequence[Act]) -> Table:
    """Return each promise with what was found against it."""
    table = Table(title="the books")
    table.add_column("promise")
    for act in acts:
        table.add_column(act.title)
    for name in dict.fromkeys(name for act in acts for name in act.breaches):
        found = [act.breaches.get(name, []) for act in acts]
        table.add_row(name, *("kept" if not wrong else "\n".join(_first(wrong)) for wrong in found))
    return table


def write_report(acts: Sequence[Act], play: str, seed: int) -> Path:
    """Write everything down as JSON and return where."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / f"{play}-{seed}.json"
    told = [
        {"act": act.title, **figures(act), "faults": act.faults, "breaches": act.breaches} for act in acts
    ]
    path.write_text(json.dumps({"play": play, "seed": seed, "acts": told}, indent=1, default=str))
    return path


def _first(wrong: Sequence[str]) -> list[str]:
    more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return [f"BROKEN: {line[:200]}" for line in wrong[:SHOWN]] + more


def _spoken(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "-"
    return str(value) or "-"
