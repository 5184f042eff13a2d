"""The results for people, as tables of 80 columns, and for programs, as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from benchmarks.harness import BASELINES, HANDLER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.harness import BenchmarkResult, Spread

WIDTH = 80
CAPTION = "A workload is batches x slots. Median (lowest to highest) of all rounds."


def rates_table(results: Sequence[BenchmarkResult]) -> Table:
    """Return arrivals per second, one row for each implementation of each case."""
    table = _table("Arrivals per second")
    for result in results:
        _add_rows(table, result, {name: result.rates[name] for name in (HANDLER, *BASELINES)}, ",.0f")
    return table


def shares_table(results: Sequence[BenchmarkResult]) -> Table:
    """Return the handler's share of each baseline's rate, one row for each baseline of each case."""
    table = _table("The handler's rate as a share of each baseline's, in the same round")
    for result in results:
        _add_rows(table, result, {name: result.shares[name] for name in BASELINES}, ".2f")
    table.caption = f"{CAPTION}\n{_machine()}."
    return table


def save(results: Sequence[BenchmarkResult], path: Path) -> None:
    """Write the results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": _machine(), "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _table(title: str) -> Table:
    table = Table(title=title, width=WIDTH)
    table.add_column("workload", justify="right")
    table.add_column("SQS batch", justify="right")
    table.add_column("implementation")
    for column in ("median", "lowest", "highest"):
        table.add_column(column, justify="right")
    return table


def _add_rows(table: Table, result: BenchmarkResult, spreads: Mapping[str, Spread], form: str) -> None:
    """Add a section of a case, which is named in its first row."""
    case = (str(result.case.size), f"{result.case.sqs_batch_size:,}")
    for name, spread in spreads.items():
        table.add_row(
            *case, name, *(format(one, form) for one in (spread.median, spread.lowest, spread.highest))
        )
        case = ("", "")
    table.add_section()


def _machine() -> str:
    return f"One process, {os.cpu_count()} cores shared with the servers, Python {platform.python_version()}"
