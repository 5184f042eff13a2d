"""Plays a scenario with a mishap at every point, or at every pair of points, and judges what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.crashing import CrashGate, Mishap, mishaps_at
from tests.simulation.final import final
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tests.fakes.failpoints import Point
    from tests.simulation.scenarios import Scenario
    from tests.simulation.stores import Stores

# A death before a call leaves what one after the call before it leaves, and a refusal what a lost answer of
# the call before leaves: where time is short, these two are enough.
ENOUGH = frozenset({Mishap.DIES_AFTER, Mishap.ANSWER_LOST})


class Judge:
    """Plays one scenario under plans, each in a new world; `visited` counts them."""

    def __init__(self, scenario: Scenario, stores: Stores | None = None) -> None:
        self.scenario = scenario
        self.visited = 0
        self._stores = stores
        world = self._play({})
        self.points: list[Point] = world.points
        self._wanted = final(world)
        row = world.stores.pages()["b"].batch
        if f"{row.status} {row.assigned_count}+{row.failed_count}" != scenario.ends:
            raise AssertionError(f"{scenario.name}, without a mishap: it ends as {row}")

    def visit_all(self, mishaps: Collection[Mishap] = frozenset(Mishap)) -> None:
        """Let everything of these that may happen at a point happen, at every point."""
        for at, mishap in _mishaps(self.points, 0):
            if mishap in mishaps:
                self.visit({at: mishap})

    def visit_pairs(self) -> None:
        """Let two mishaps happen, the second at every point that comes after the first."""
        for at, mishap in _mishaps(self.points, 0):
            if mishap in ENOUGH:
                self._visit_seconds(at, mishap)

    def _visit_seconds(self, at: int, mishap: Mishap) -> None:
        points = self.visit({at: mishap})
        for later, second in _mishaps(points, at + 1):
            if second in ENOUGH:
                self.visit({at: mishap, later: second})

    def visit(self, plan: Mapping[int, Mishap]) -> list[Point]:
        """Play under a plan and judge; return the points that were passed."""
        self.visited += 1
        try:
            world = self._play(plan)
        except AssertionError as error:
            raise AssertionError(f"{self.scenario.name}, {self._told(plan)}: {error}") from error
        if self.scenario.is_settled and final(world) != self._wanted:
            raise AssertionError(f"{self.scenario.name}, {self._told(plan)}: it ends as {final(world)}")
        return world.points

    def _play(self, plan: Mapping[int, Mishap]) -> CrashedWorld:
        if self._stores is not None:
            self._stores.clear()
        world = CrashedWorld(self._stores, plan)
        self.scenario.play(world)
        world.drain()
        world.require_promises(is_quiet=True)
        require_nothing([*world.echo(), *world.misknown()])
        return world

    def _told(self, plan: Mapping[int, Mishap]) -> str:
        return ", ".join(f"{mishap} at call {at}" for at, mishap in plan.items())


class CrashedWorld(World):
    """A world whose gate follows a plan; whenever a process dies, the promises hold."""

    def __init__(self, stores: Stores | None, plan: Mapping[int, Mishap]) -> None:
        gate = CrashGate(plan)
        super().__init__(stores, gate=gate)
        self.points = gate.points

    def mourn(self) -> None:
        """Check the promises at the moment of a death."""
        self.require_promises(is_quiet=False)

    def require_promises(self, *, is_quiet: bool) -> None:
        """Raise when a promise is broken."""
        require_nothing([str(breach) for breach in self.breaches(is_quiet=is_quiet)])


def require_nothing(wrong: Sequence[str]) -> None:
    """Raise when something is wrong."""
    if wrong:
        raise AssertionError("; ".join(wrong))


def _mishaps(points: list[Point], start: int) -> Iterator[tuple[int, Mishap]]:
    for at in range(start, len(points)):
        for mishap in mishaps_at(points[at]):
            yield at, mishap
