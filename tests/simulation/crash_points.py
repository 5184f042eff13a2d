"""Runs a scenario with a fault at each failpoint, or at each pair of failpoints, and checks the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, override

from tests.simulation.environment import Environment
from tests.simulation.fault_injection import Fault, PlannedFaults, faults_at
from tests.simulation.final_state import final_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tests.fakes.failpoints import Failpoint
    from tests.simulation.scenarios import Scenario
    from tests.simulation.stores import Stores

# A process killed before a call leaves the same state as one killed after the call before it, and a refused
# call the same as a lost answer of the call before. Where time is short, these two suffice.
REPRESENTATIVE = frozenset({Fault.KILLED_AFTER, Fault.ANSWER_LOST})


class CrashPointCheck:
    """Runs one scenario under fault plans, each in a new environment; `visited` counts the plans."""

    def __init__(self, scenario: Scenario, stores: Stores | None = None) -> None:
        self.scenario = scenario
        self.visited = 0
        self._stores = stores
        environment = self._run({})
        self.failpoints: list[Failpoint] = environment.passed
        self._expected = final_state(environment)
        row = environment.stores.batches()["b"].batch
        if f"{row.status} {row.assigned_count}+{row.failed_count}" != scenario.expected:
            raise AssertionError(f"{scenario.name}, without a fault: expected {scenario.expected}, got {row}")

    def visit_points(self, faults: Collection[Fault] = frozenset(Fault)) -> None:
        """Inject each of these faults at each failpoint at which it is possible."""
        for number, fault in _possible_faults(self.failpoints, 0):
            if fault in faults:
                self.visit({number: fault})

    def visit_pairs(self) -> None:
        """Inject two faults, the second at each failpoint that is passed after the first."""
        for number, fault in _possible_faults(self.failpoints, 0):
            if fault in REPRESENTATIVE:
                self._visit_second_faults(number, fault)

    def _visit_second_faults(self, number: int, fault: Fault) -> None:
        failpoints = self.visit({number: fault})
        for later, second in _possible_faults(failpoints, number + 1):
            if second in REPRESENTATIVE:
                self.visit({number: fault, later: second})

    def visit(self, plan: Mapping[int, Fault]) -> list[Failpoint]:
        """Run under a plan and check the result; return the failpoints that were passed."""
        self.visited += 1
        described = ", ".join(f"{fault} at call {number}" for number, fault in plan.items())
        try:
            environment = self._run(plan)
        except AssertionError as error:
            raise AssertionError(f"{self.scenario.name}, {described}: {error}") from error
        final = final_state(environment)
        if self.scenario.is_fixed and final != self._expected:
            raise AssertionError(f"{self.scenario.name}, {described}: the final state is {final}")
        return environment.passed

    def _run(self, plan: Mapping[int, Fault]) -> FaultyEnvironment:
        if self._stores is not None:
            self._stores.clear()
        environment = FaultyEnvironment(self._stores, plan)
        self.scenario.run(environment)
        environment.drain()
        environment.require_invariants(is_quiescent=True)
        _require_none([*environment.changes_by_redelivery(), *environment.coordinator_errors()])
        return environment


class FaultyEnvironment(Environment):
    """An environment with planned faults; whenever a process is killed, the invariants are checked."""

    def __init__(self, stores: Stores | None, plan: Mapping[int, Fault]) -> None:
        injector = PlannedFaults(plan)
        super().__init__(stores, injector=injector)
        self.passed = injector.passed

    @override
    def on_process_killed(self) -> None:
        self.require_invariants(is_quiescent=False)

    def require_invariants(self, *, is_quiescent: bool) -> None:
        """Raise `AssertionError` when an invariant is violated."""
        _require_none([str(violation) for violation in self.violations(is_quiescent=is_quiescent)])


def _require_none(errors: Sequence[str]) -> None:
    if errors:
        raise AssertionError("; ".join(errors))


def _possible_faults(failpoints: Sequence[Failpoint], start: int) -> Iterator[tuple[int, Fault]]:
    for number in range(start, len(failpoints)):
        for fault in faults_at(failpoints[number]):
            yield number, fault
