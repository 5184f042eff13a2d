"""A Hypothesis state machine: deliveries, faults, clock jumps and interleavings, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, override

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from els_core.adapters.redis import keys
from tests.factories import content, failure, registration
from tests.fakes.failpoints import NoFaults
from tests.simulation.environment import Environment
from tests.simulation.fault_injection import Fault, PlannedFaults, faults_at
from tests.simulation.processes import PARKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fakes.batch_keys import BatchKeys
    from tests.fakes.cooperative_scheduler import Task
    from tests.fakes.failpoints import Failpoint
    from tests.simulation.stores import FakeStores

NAMES = st.sampled_from(["a", "c", "d", "e"])
BATCHES = st.sampled_from(["b", "b2"])
TIMEOUT = 3_600


class ServiceMachine(RuleBasedStateMachine):
    """Two small batches, and everything that may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.environment = Environment()
        self.snapshot: dict[str, BatchKeys] = {}
        self.is_damaged = False

    @property
    def stores(self) -> FakeStores:
        return self.environment.fakes

    @rule(batch_id=BATCHES, slots=st.integers(1, 3))
    def send_registration(self, batch_id: str, slots: int) -> None:
        self.environment.send(registration(slots, batch_id, TIMEOUT))

    @rule(name=NAMES, batch_id=BATCHES, times=st.integers(1, 2))
    def send_content(self, name: str, batch_id: str, times: int) -> None:
        self.environment.send(*[content(name, batch_id)] * times)

    @rule(name=NAMES, batch_id=BATCHES, times=st.integers(1, 2))
    def send_failure(self, name: str, batch_id: str, times: int) -> None:
        self.environment.send(*[failure(name, batch_id)] * times)

    @rule(limit=st.integers(1, 3))
    def register(self, limit: int) -> None:
        self.environment.register(limit)

    @rule(limit=st.integers(1, 4))
    def provision(self, limit: int) -> None:
        self.environment.provision(limit)

    @rule()
    def sweep(self) -> None:
        self.environment.sweep()

    @rule()
    def relay(self) -> None:
        self.environment.relay()

    @rule(choices=st.lists(st.integers(0, 4), max_size=40), limits=st.tuples(*[st.integers(1, 3)] * 2))
    def run_concurrently(self, choices: list[int], limits: tuple[int, int]) -> None:
        self._interleave(choices, limits)

    @rule(
        call=st.integers(0, 12),
        fault=st.sampled_from(Fault),
        choices=st.lists(st.integers(0, 4), max_size=20),
    )
    def run_concurrently_with_a_fault(self, call: int, fault: Fault, choices: list[int]) -> None:
        self.environment.injector = PossibleFaults({call: fault})
        self._interleave(choices, (3, 3))
        self.environment.injector = NoFaults()

    @rule()
    def wait_for_a_third_of_the_parking_time(self) -> None:
        self.environment.advance(PARKING / 3)

    @rule()
    def wait_for_the_parking_time(self) -> None:
        self.environment.advance(PARKING)

    @rule()
    def flush_redis(self) -> None:
        self.stores.flush()

    @rule()
    def save_a_redis_snapshot(self) -> None:
        self.snapshot = self.stores.redis.copy()

    @rule()
    def restore_the_redis_snapshot(self) -> None:
        self.stores.redis.restore(self.snapshot)

    @rule(batch_id=BATCHES, name=st.sampled_from(keys.ALL), is_corrupted=st.booleans())
    def damage_a_redis_key(self, batch_id: str, name: str, *, is_corrupted: bool) -> None:
        damage = self.stores.redis.corrupt if is_corrupted else self.stores.redis.delete_key
        damage(batch_id, name)
        self.is_damaged = True

    @rule(redis=st.booleans(), bus=st.booleans())
    def set_outages(self, *, redis: bool, bus: bool) -> None:
        self.stores.redis.is_down = redis
        self.environment.bus.is_down = bus

    @invariant()
    def every_invariant_holds_at_every_moment(self) -> None:
        assert self.environment.violations(is_quiescent=False) == []

    def teardown(self) -> None:
        self.set_outages(redis=False, bus=False)
        self.environment.drain()
        assert self.environment.violations(is_quiescent=True) == []
        assert self.environment.changes_by_redelivery() == []
        if not self.is_damaged:  # an event only notices damage of the keys that it needs
            assert self.environment.coordinator_errors() == []

    def _interleave(self, choices: Sequence[int], limits: tuple[int, int]) -> None:
        """Interleave five invocations as the choices say, then run them one after the other."""
        environment = self.environment
        processes: dict[str, Callable[[], object]] = {
            "register": environment.register,
            "provision": lambda: environment.provision(limits[0]),
            "provision too": lambda: environment.provision(limits[1]),
            "sweep": environment.sweep,
            "relay": environment.relay,
        }
        for name, work in processes.items():
            environment.scheduler.spawn(name, work)
        left = iter(choices)

        def choose(ready: Sequence[Task]) -> Task:
            return ready[next(left, 0) % len(ready)]

        environment.scheduler.run(choose)


class PossibleFaults(PlannedFaults):
    """Planned faults that are left out where they are not possible."""

    @override
    def run[T](self, failpoint: Failpoint, call: Callable[[], T]) -> T:
        planned = self.plan.get(len(self.passed))
        if planned is not None and planned not in faults_at(failpoint):
            self.plan = {}
        return super().run(failpoint, call)


TestServiceMachine = ServiceMachine.TestCase
TestServiceMachine.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
