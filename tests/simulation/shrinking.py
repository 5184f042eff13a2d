"""Shrink a failing run: find simpler choices that violate the same invariant."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.simulation.choices import Choices
from tests.simulation.seed_runs import run_choices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dev.invariants.checks import Violation
    from tests.simulation.seed_runs import RunResult

    type Simplified = tuple[Sequence[int], Sequence[int], frozenset[int]]
    type Step = Callable[[RunResult], Simplified | None]

MAX_ATTEMPTS = 4_000
MAX_MESSAGES = 64  # more than most runs send


def shrink(result: RunResult) -> RunResult:
    """Return the simplest run found that violates the same invariant; raise `ValueError` without one."""
    if result.violation is None:
        raise ValueError("only a failing run can be shrunk: this one violates no invariant")
    size_before, attempts = None, 0
    while result.size != size_before:
        size_before = result.size
        for step in _steps(result):
            simplified = step(result)
            if simplified is None or attempts == MAX_ATTEMPTS:
                continue
            attempts += 1
            plan, choices, omitted = simplified
            tried = run_choices(Choices(given=plan), Choices(given=choices), omitted)
            if _is_same(tried.violation, result.violation) and tried.size < result.size:
                result = tried
    return result


def _is_same(violation: Violation | None, wanted: Violation | None) -> bool:
    return violation is not None and wanted is not None and violation.invariant == wanted.invariant


def _steps(result: RunResult) -> Iterator[Step]:
    """Yield ways to simplify a run, the largest steps first."""
    for size in _halves(MAX_MESSAGES):
        yield from (partial(_omit, start=start, size=size) for start in range(0, MAX_MESSAGES, size))
    for size in _halves(len(result.choices)):
        starts = range(0, len(result.choices), size)
        yield from (partial(step, start=start, size=size) for start in starts for step in (_cut, _zero))
    for position in range(len(result.plan)):
        yield from (partial(_reduce, position=position, by=by) for by in (0, 2, 1))


def _omit(result: RunResult, start: int, size: int) -> Simplified | None:
    """Omit some messages."""
    omitted = result.omitted | frozenset(range(start, start + size))
    return (result.plan, result.choices, omitted) if omitted != result.omitted else None


def _cut(result: RunResult, start: int, size: int) -> Simplified | None:
    """Remove some choices."""
    choices = [*result.choices[:start], *result.choices[start + size :]]
    return (result.plan, choices, result.omitted) if len(choices) < len(result.choices) else None


def _zero(result: RunResult, start: int, size: int) -> Simplified | None:
    """Replace some choices by the simplest ones."""
    part = result.choices[start : start + size]
    choices = [*result.choices[:start], *([0] * len(part)), *result.choices[start + size :]]
    return (result.plan, choices, result.omitted) if any(part) else None


def _reduce(result: RunResult, position: int, by: int) -> Simplified | None:
    """Reduce one choice of the plan to zero, to a half, or by one."""
    if position >= len(result.plan) or not result.plan[position]:
        return None
    reduced = {0: 0, 2: result.plan[position] // 2, 1: result.plan[position] - 1}[by]
    plan = [*result.plan[:position], reduced, *result.plan[position + 1 :]]
    return plan, result.choices, result.omitted


def _halves(size: int) -> Iterator[int]:
    while size:
        yield size
        size //= 2
