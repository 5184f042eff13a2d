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
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.harness import BenchmarkResult, Spread

WIDTH = 80
CAPTION = "A workload is batches x slots. Median (lowest to highest) of all rounds."


def rates_table(results: Sequence[BenchmarkResult]) -> Table:
    """Return arrivals per second, one row for each implementation of each case."""
    table = _table("Arrivals per second", "implementation", "median", "lowest", "highest")
    for result in results:
        for name in (HANDLER, *BASELINES):
            rate = result.rates[name]
            values = [f"{value:,.0f}" for value in (rate.median, rate.lowest, rate.highest)]
            table.add_row(*_case(result, is_first=name == HANDLER), name, *values)
        table.add_section()
    return table


def shares_table(results: Sequence[BenchmarkResult]) -> Table:
    """Return the handler's share of each baseline's rate, one row for each case."""
    table = _table("The handler's rate as a share of each baseline's, in the same round", *BASELINES)
    for result in results:
        table.add_row(*_case(result), *(_share(result.shares[name]) for name in BASELINES))
    table.caption = f"{CAPTION}\n{_machine()}."
    return table


def save(results: Sequence[BenchmarkResult], path: Path) -> None:
    """Write the results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": _machine(), "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, width=WIDTH)
    table.add_column("workload", justify="right")
    table.add_column("SQS batch", justify="right")
    for column in columns:
        table.add_column(column, justify="left" if column == "implementation" else "right")
    return table


def _case(result: BenchmarkResult, *, is_first: bool = True) -> tuple[str, str]:
    return (str(result.case.size), f"{result.case.sqs_batch_size:,}") if is_first else ("", "")


def _share(share: Spread) -> str:
    return f"{share.median:.2f}\n({share.lowest:.2f} to {share.highest:.2f})"


def _machine() -> str:
    return f"One process, {os.cpu_count()} cores shared with the servers, Python {platform.python_version()}"
