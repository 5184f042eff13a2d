"""Hypothesis invents histories: deliveries, faults, time and interleavings, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from els_core.adapters.redis import keys
from tests.factories import content, failure, registration
from tests.fakes.failpoints import OpenGate
from tests.simulation.crashing import CrashGate, Mishap, mishaps_at
from tests.simulation.world import PARKING, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fakes.cooperative_scheduler import Task
    from tests.fakes.failpoints import Point
    from tests.fakes.memory import Memory
    from tests.simulation.stores import FakeStores

NAMES = st.sampled_from(["a", "c", "d", "e"])
BATCHES = st.sampled_from(["b", "b2"])
TIMEOUT = 3_600


class AnyHistory(RuleBasedStateMachine):
    """Two small batches, and whatever may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.copy: dict[str, Memory] = {}
        self.is_damaged = False

    @property
    def stores(self) -> FakeStores:
        return self.world.fakes

    @rule(batch_id=BATCHES, slots=st.integers(1, 3))
    def announce(self, batch_id: str, slots: int) -> None:
        self.world.send(registration(slots, batch_id, TIMEOUT))

    @rule(name=NAMES, batch_id=BATCHES, times=st.integers(1, 2))
    def send_content(self, name: str, batch_id: str, times: int) -> None:
        self.world.send(*[content(name, batch_id)] * times)

    @rule(name=NAMES, batch_id=BATCHES, times=st.integers(1, 2))
    def send_failure(self, name: str, batch_id: str, times: int) -> None:
        self.world.send(*[failure(name, batch_id)] * times)

    @rule(limit=st.integers(1, 3))
    def register(self, limit: int) -> None:
        self.world.register(limit)

    @rule(limit=st.integers(1, 4))
    def provision(self, limit: int) -> None:
        self.world.provision(limit)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule()
    def relay(self) -> None:
        self.world.relay()

    @rule(choices=st.lists(st.integers(0, 4), max_size=40), limits=st.tuples(*[st.integers(1, 3)] * 2))
    def run_at_once(self, choices: list[int], limits: tuple[int, int]) -> None:
        self._interleave(choices, limits)

    @rule(
        at=st.integers(0, 12),
        mishap=st.sampled_from(Mishap),
        choices=st.lists(st.integers(0, 4), max_size=20),
    )
    def suffer(self, at: int, mishap: Mishap, choices: list[int]) -> None:
        self.world.gate = _PossibleMishap({at: mishap})
        self._interleave(choices, (3, 3))
        self.world.gate = OpenGate()

    @rule()
    def wait_a_little(self) -> None:
        self.world.advance(PARKING / 3)

    @rule()
    def wait_long(self) -> None:
        self.world.advance(PARKING)

    @rule()
    def delete_sent(self) -> None:
        self.stores.flush()

    @rule()
    def keep_a_copy(self) -> None:
        self.copy = self.stores.redis.copy()

    @rule()
    def go_back_to_the_copy(self) -> None:
        self.stores.redis.restore(self.copy)

    @rule(batch_id=BATCHES, name=st.sampled_from(keys.ALL), is_spoiled=st.booleans())
    def damage(self, batch_id: str, name: str, *, is_spoiled: bool) -> None:
        damage = self.stores.redis.spoil if is_spoiled else self.stores.redis.lose
        damage(batch_id, name)
        self.is_damaged = True

    @rule(redis=st.booleans(), bus=st.booleans())
    def break_down(self, *, redis: bool, bus: bool) -> None:
        self.stores.redis.is_down = redis
        self.world.bus.is_down = bus

    @invariant()
    def every_promise_holds_at_every_instant(self) -> None:
        assert self.world.breaches(is_quiet=False) == []

    def teardown(self) -> None:
        self.break_down(redis=False, bus=False)
        self.world.drain()
        assert self.world.breaches(is_quiet=True) == []
        assert self.world.echo() == []
        if not self.is_damaged:  # which of its keys an event needs, and so notices, depends on the event
            assert self.world.misknown() == []

    def _interleave(self, choices: Sequence[int], limits: tuple[int, int]) -> None:
        """Let five processes take turns as the choices say, and then one after the other."""
        world = self.world
        processes: dict[str, Callable[[], object]] = {
            "register": world.register,
            "provision": lambda: world.provision(limits[0]),
            "provision too": lambda: world.provision(limits[1]),
            "sweep": world.sweep,
            "relay": world.relay,
        }
        for name, work in processes.items():
            world.turns.spawn(name, work)
        left = iter(choices)

        def choose(ready: Sequence[Task]) -> Task:
            return ready[next(left, 0) % len(ready)]

        world.turns.run(choose)


class _PossibleMishap(CrashGate):
    """A gate whose mishap happens only where it may."""

    def let[T](self, point: Point, call: Callable[[], T]) -> T:
        planned = self.plan.get(len(self.points))
        if planned is not None and planned not in mishaps_at(point):
            self.plan = {}
        return super().let(point, call)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
