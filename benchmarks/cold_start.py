"""Cold start: what a function imports before its first invocation, as a whole process, and how large it is.

Measured from the sources of this checkout with the packages of its lock, both compiled; Lambda's own start is
not part of it. The least is a program that imports only the drivers: redis, pg8000, botocore, pydantic.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.bench import Effort
from benchmarks.harness import spread_of
from benchmarks.plots.charts import Bars
from benchmarks.report import Goal, Section, Table, spread
from dev.programs.tools import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.bench import Bench
    from benchmarks.report import Cell

LEAST, HOT = "the drivers alone", "provision_content"
DRIVERS = "import redis, pg8000.native, botocore.session, pydantic"
FUNCTIONS = {
    Effort.FULL: tuple(sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))),
    Effort.QUICK: (HOT, "register_batch"),
    Effort.SMOKE: (HOT,),
}
ROUNDS = {Effort.FULL: 7, Effort.QUICK: 3, Effort.SMOKE: 1}
HOT_PATH = (HOT, "register_batch", "publish_outbox", "expire_batches")
SHOWN = 7  # packages that a bar shows by name
NOTE = (
    "Whole processes, with the start of Python, in alternating order. The goal is 1.3 for the functions of "
    "the hot path. Without bytecode: the same, with nothing compiled in advance."
)


def measure(bench: Bench) -> Section:
    """Time each function's import beside that of the drivers, and stack one by its packages."""
    programs = {LEAST: DRIVERS} | {
        name: f"import functions.{name}.handler" for name in FUNCTIONS[bench.effort]
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS[bench.effort] + 1):
        bench.say(f"round {number} of {ROUNDS[bench.effort]}, {len(programs)} programs")
        for name in list(programs)[:: -1 if number % 2 else 1]:
            spent = _run(programs[name])
            if number:  # the first round compiles and warms the page cache
                seconds[name].append(spent)
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            spread(spread_of([1e3 * one for one in spent])),
            spread(spread_of([one / least for one, least in zip(spent, seconds[LEAST], strict=True)]), ".2f"),
        )
        for name, spent in sorted(seconds.items(), key=lambda item: item[0] != LEAST)
    ]
    with TemporaryDirectory() as empty:
        options = ("-B", "-X", f"pycache_prefix={empty}")  # finds no bytecode and writes none
        uncompiled = [_run(programs[HOT], *options) for _ in range(ROUNDS[bench.effort])]
    rows.append((f"{HOT}, without bytecode", spread(spread_of([1e3 * one for one in uncompiled])), ""))
    columns = ("what is imported", "ms", "of the drivers alone")
    times = {name: _by_package(programs[name]) for name in (LEAST, HOT)}
    shown = sorted(times[HOT], key=lambda package: -times[HOT][package])[:SHOWN]
    stacks = {name: _stack(packages, shown) for name, packages in times.items()}
    chart = Bars("cold_start", "Cold start by package", "ms", stacks)
    table = Table("Cold start", columns, rows, NOTE)
    return Section("cold_start", [table], [chart], _goals(seconds))


def _goals(seconds: Mapping[str, Sequence[float]]) -> list[Goal]:
    least = spread_of(seconds[LEAST]).median
    return [
        Goal(
            f"imports of {name}, times the drivers alone", None, 1.3, spread_of(seconds[name]).median / least
        )
        for name in HOT_PATH
        if name in seconds
    ]


def _run(code: str, *options: str) -> float:
    start = perf_counter()
    _python(*options, "-c", code)
    return perf_counter() - start


def _by_package(code: str) -> dict[str, float]:
    """Return the milliseconds of each package's own modules."""
    spent: dict[str, float] = defaultdict(float)
    for line in _python("-X", "importtime", "-c", code).splitlines():
        own, _, module = line.removeprefix("import time:").rpartition("|")
        microseconds = own.partition("|")[0].strip()
        if microseconds.isdigit():
            package = module.strip().partition(".")[0]
            name = "the standard library" if package in sys.stdlib_module_names else package
            spent[name] += int(microseconds) / 1_000
    return spent


def _stack(packages: Mapping[str, float], shown: Sequence[str]) -> dict[str, float]:
    """Return the packages that are shown by name, and the others together."""
    named = {name: packages[name] for name in shown if name in packages}
    return named | {"others": sum(packages.values()) - sum(named.values())}


def _python(*arguments: str) -> str:
    """Run this Python as Lambda does, and return what it wrote to standard error."""
    paths = f"{ROOT}:{ROOT / 'layers' / 'els_core'}"
    ran = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(PYTHONPATH=paths),
    )
    return ran.stderr
