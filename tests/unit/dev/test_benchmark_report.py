"""The tables of a benchmark can be read in 80 columns, and lose no figure there."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.harness import BASELINES, HANDLER, BenchmarkCase, BenchmarkResult, Spread
from benchmarks.report import rates_table, shares_table
from benchmarks.workload import WorkloadSize

if TYPE_CHECKING:
    from rich.table import Table

RATE = Spread(130_049.4, 117_964.0, 131_607.0)
SHARE = Spread(0.571, 0.51, 10.62)
RESULT = BenchmarkResult(
    BenchmarkCase(WorkloadSize(200, 50), 1_000, 7),
    4_000,
    dict.fromkeys((HANDLER, *BASELINES), RATE),
    dict.fromkeys(BASELINES, SHARE),
)


def printed(table: Table) -> str:
    output = StringIO()
    Console(file=output, width=200).print(table)
    return output.getvalue()


def test_the_rates_fit_eighty_columns_with_one_line_per_implementation() -> None:
    text = printed(rates_table([RESULT]))
    assert max(map(len, text.splitlines())) <= 80
    rows = [line for line in text.splitlines() if "130,049" in line]
    assert [name for row, name in zip(rows, (HANDLER, *BASELINES), strict=True) if name in row] == [
        HANDLER,
        *BASELINES,
    ]
    assert "200 x 50" in rows[0]
    assert "131,607" in rows[0]


def test_the_shares_fit_eighty_columns_with_their_spread_below() -> None:
    text = printed(shares_table([RESULT]))
    assert max(map(len, text.splitlines())) <= 80
    lines = text.splitlines()
    [row] = [number for number, line in enumerate(lines) if "200 x 50" in line]
    assert lines[row].count("0.57") == len(BASELINES)
    assert lines[row + 1].count("(0.51 to 10.62)") == len(BASELINES)
