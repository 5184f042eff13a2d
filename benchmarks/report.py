"""Figures for people, as a table, and for machines, as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from benchmarks.harness import BARE, SCRIPTS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.harness import Figures, Spread


def table_of(figures: Sequence[Figures]) -> Table:
    """Return the table: medians, with lowest and highest."""
    table = Table(
        title="Arrivals per second, and the whole handler's share of the bare loops in the same round",
        caption=f"median (lowest to highest) of the rounds, one process, {_machine()}",
    )
    for heading in ("batches x slots", "SQS batch", WHOLE, BARE, SCRIPTS, "share of (b)", "share of (a)"):
        table.add_column(heading, justify="right")
    for one in figures:
        rates = [_text(one.rates[name], ",.0f") for name in (WHOLE, BARE, SCRIPTS)]
        shares = [_text(one.shares[name], ".2f") for name in (BARE, SCRIPTS)]
        table.add_row(str(one.task.shape), f"{one.task.chunk}", *rates, *shares)
    return table


def save(figures: Sequence[Figures], path: Path) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": _machine(), "figures": [asdict(one) for one in figures]}
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores shared with the servers, Python {platform.python_version()}"


def _text(spread: Spread, form: str) -> str:
    return f"{spread.median:{form}} ({spread.lowest:{form}} to {spread.highest:{form}})"
