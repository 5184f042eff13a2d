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


def test_the_shares_fit_eighty_columns_with_one_line_per_baseline() -> None:
    text = printed(shares_table([RESULT]))
    assert max(map(len, text.splitlines())) <= 80
    rows = [line for line in text.splitlines() if "0.57" in line]
    assert [name for row, name in zip(rows, BASELINES, strict=True) if name in row] == list(BASELINES)
    assert "200 x 50" in rows[0]
    assert all("0.51" in row and "10.62" in row for row in rows)
