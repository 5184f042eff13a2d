"""Run the largest inputs and backlogs under the memory and the CPU share of the functions; print a table.

The figures are the worst of all runs of a case: the time that the function would take in Lambda, where it has
only a share of a CPU, its CPU time, and the most memory that it had. Time in the queue for a CPU of this
machine is not counted, because in Lambda each copy has its share to itself.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from dev.limits.case_run import QUICK, CaseRun, Scale
from dev.limits.cases import CASES
from dev.limits.function_process import FunctionProcess
from dev.limits.stores import Stores
from dev.limits.template import limits_of
from dev.programs.process import exit_on_sigterm

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = f"{'case':34} {'runs':>4} {'Lambda s':>8} {'CPU s':>6} {'MB':>4} {'limits':>10}  fits"


def run(scale: Scale, only: str = "") -> bool:
    """Run all cases, or those whose name contains `only`; return whether everything fits."""
    print(HEAD, flush=True)
    fits = True
    with Stores() as stores:
        for template, (function, run_case) in CASES.items():
            if only not in template:
                continue
            limits = limits_of(function)
            stores.empty()
            with FunctionProcess(function, limits, stores.environment()) as process:
                run = CaseRun(scale, stores, process, limits)
                run_case(run)
            problems = [*too_much(run), *run.problems]
            name = template.format(**{key: f"{value:,}" for key, value in asdict(scale).items()})
            print(line(name, run, fits=not problems), flush=True)
            for problem in problems:
                print(f"  {problem}", flush=True)
            fits = fits and not problems
    return fits


def too_much(run: CaseRun) -> list[str]:
    """Return in words what exceeds the limits of the function."""
    seconds, memory = _seconds(run), _memory(run)
    limits = run.limits
    words = []
    if seconds >= limits.timeout_seconds:
        words.append(f"{seconds:.1f} s of {limits.timeout_seconds} s")
    if memory >= limits.memory_mb:
        words.append(f"{memory:.0f} MB of {limits.memory_mb} MB")
    return words


def line(name: str, run: CaseRun, *, fits: bool) -> str:
    """Return a line of the table."""
    cpu = max((one.cpu_seconds for one in run.invocations), default=0.0)
    limits = f"{run.limits.timeout_seconds} s {run.limits.memory_mb}"
    verdict = "yes" if fits else "NO"
    figures = f"{run.rounds:>4} {_seconds(run):>8.1f} {cpu:>6.1f} {_memory(run):>4.0f} {limits:>10}"
    return f"{name:34} {figures}  {verdict}"


def _seconds(run: CaseRun) -> float:
    share = run.limits.cpu_share
    return max((one.lambda_seconds(share) for one in run.invocations), default=0.0)


def _memory(run: CaseRun) -> float:
    return max((one.peak_mb for one in run.invocations), default=0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if everything fits, else 1."""
    parser = argparse.ArgumentParser(prog="python -m dev.limits", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute: the same with smaller numbers")
    parser.add_argument("--only", default="", help="the cases whose names contain this text")
    given = parser.parse_args(arguments)
    return 0 if run(QUICK if given.quick else Scale(), given.only) else 1


if __name__ == "__main__":
    exit_on_sigterm()
    raise SystemExit(main())
