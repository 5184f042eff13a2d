"""Execute simulated runs, from a seed or from recorded choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.choices import Choices
from tests.simulation.run_checks import InvariantViolated
from tests.simulation.simulated_run import SimulatedRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev.invariants.checks import Violation
    from tests.simulation.trace_log import TraceLog


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: its choices, its trace, and the violated invariant with the error behind it, if any."""

    plan: Sequence[int]
    choices: Sequence[int]
    omitted: frozenset[int]
    trace: TraceLog
    violation: Violation | None = None
    error: BaseException | None = None

    @property
    def size(self) -> tuple[int, int, int]:
        """Return the length of the trace, then how much the choices differ from the simplest ones."""
        made = (*self.plan, *self.choices)
        return len(self.trace), sum(map(bool, made)), sum(made) + len(made) - len(self.omitted)


def run_choices(plan: Choices, choices: Choices, omitted: frozenset[int] = frozenset()) -> RunResult:
    """Execute one run until its end or the first violation."""
    run = SimulatedRun(plan, choices, omitted)
    try:
        run.execute()
    except InvariantViolated as violated:
        return RunResult(plan.made, choices.made, omitted, run.trace, violated.violation, violated.__cause__)
    return RunResult(plan.made, choices.made, omitted, run.trace)


def run_seed(seed: int) -> RunResult:
    """Execute the run of a seed; it is the same in every process."""
    # These two texts are part of what a seed means: with others, every seed would be another run.
    return run_choices(Choices(f"plan {seed}"), Choices(f"course {seed}"))
