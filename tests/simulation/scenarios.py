"""Scenarios of the list of faults, at the level of use cases. Each runs with a fault at every failpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.factories import content, failure, registration
from tests.simulation.processes import PARKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.domain.batches import Registration
    from tests.simulation.environment import Environment

DAY = 86_400
SHORT = 1_200  # longer than the redeliveries of a scenario take, shorter than the parking time
A, C, D = (content(name) for name in "acd")
F, G = failure("f"), failure("g")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario. `expected` is what batch b is without a fault: its status, assigned + failed slots.

    `is_fixed` says that a fault, which only delays, does not change the final state.
    """

    name: str
    run: Callable[[Environment], None]
    expected: str
    is_fixed: bool = True
    is_small: bool = False


def batch(slots: int, batch_id: str = "b", timeout_seconds: int = DAY) -> Registration:
    return registration(slots, batch_id, timeout_seconds)


def deliver(env: Environment) -> None:
    env.register()
    env.provision()


def single(env: Environment) -> None:
    env.send(batch(1), A)
    deliver(env)


def duplicates(env: Environment) -> None:
    env.send(batch(2), A, A)
    deliver(env)
    env.send(A, C)
    env.provision()


def content_first(env: Environment) -> None:
    env.send(A, F)
    env.provision()
    env.send(batch(2))
    env.register()


def failure_first(env: Environment) -> None:
    env.send(F, batch(2))
    env.provision()
    env.register()
    env.send(A)
    env.provision()


def failure_last(env: Environment) -> None:
    env.send(batch(2), A)
    deliver(env)
    env.send(F)
    env.provision()


def failure_twice(env: Environment) -> None:
    env.send(batch(2), F, F, A)
    deliver(env)
    env.send(F)
    env.provision()


def all_failed(env: Environment) -> None:
    env.send(batch(2), F)
    deliver(env)
    env.send(G)
    env.provision()


def more_contents_than_slots(env: Environment) -> None:
    env.send(batch(2), A, C, D)
    env.register()
    env.provision(2)
    env.provision()
    env.send(D, A)
    env.provision()


def more_failures_than_slots(env: Environment) -> None:
    env.send(batch(1), F, G)
    deliver(env)
    env.send(G)
    env.provision()


def arrivals_after_the_final_result(env: Environment) -> None:
    env.send(batch(1), A)
    deliver(env)
    env.send(C, F, A, batch(1))
    env.provision()
    env.register()


def deadline_by_a_sweep(env: Environment) -> None:
    env.send(batch(3, timeout_seconds=SHORT), A)
    deliver(env)
    env.advance(timedelta(seconds=SHORT))
    env.sweep()


def deadline_by_an_arrival(env: Environment) -> None:
    env.send(batch(3, timeout_seconds=SHORT), A)
    deliver(env)
    env.advance(timedelta(seconds=SHORT))
    env.send(C, F)
    env.provision()


def sweep_racing_the_last_arrival(env: Environment) -> None:
    env.send(batch(2, timeout_seconds=SHORT), A)
    deliver(env)
    env.send(C)
    env.advance(timedelta(seconds=SHORT))
    env.run_concurrently(env.provision, env.sweep)


def registration_racing_its_contents(env: Environment) -> None:
    env.send(batch(2), A, C)
    env.run_concurrently(env.register, env.provision)


def duplicates_on_two_instances(env: Environment) -> None:
    env.send(batch(2), A, A, C)
    env.register()
    env.run_concurrently(lambda: env.provision(1), lambda: env.provision(2))


def registered_again(env: Environment) -> None:
    env.send(batch(2), batch(2))
    env.register(1)
    env.send(A)
    env.provision()
    env.register()
    env.send(C)
    env.provision()


def registered_in_conflict(env: Environment) -> None:
    env.send(batch(1), A)
    env.register()
    env.send(batch(3))
    deliver(env)


def redis_flushed(env: Environment) -> None:
    env.send(batch(3), A)
    deliver(env)
    env.stores.flush()
    env.send(A, C)
    env.provision()
    env.stores.flush()
    env.send(F)
    env.provision()


def bus_down(env: Environment) -> None:
    env.bus.is_down = True
    env.send(batch(1), A)
    deliver(env)
    env.bus.is_down = False
    env.advance(timedelta(minutes=1))
    env.relay()


def parked_for_too_long(env: Environment) -> None:
    env.send(A, F)
    env.provision()
    env.advance(PARKING)
    env.sweep()
    env.sweep()
    env.send(batch(2))
    env.register()


def many_batches_at_once(env: Environment) -> None:
    env.send(content("a", "b3"))
    env.provision()
    env.send(*(batch(1, name) for name in ("b", "b2", "b3")))
    env.register()
    env.send(*(content("a", name) for name in ("b", "b2", "b3")))
    env.provision()


def poison_among_good(env: Environment) -> None:
    env.send(batch(2), A, "{", C)
    deliver(env)


def still_open(env: Environment) -> None:
    env.send(batch(4), A, F)
    deliver(env)


SCENARIOS = (
    Scenario("single", single, "ready 1+0", is_small=True),
    Scenario("duplicates", duplicates, "ready 2+0"),
    Scenario("content first", content_first, "ready 1+1", is_small=True),
    Scenario("failure first", failure_first, "ready 1+1"),
    Scenario("failure last", failure_last, "ready 1+1"),
    Scenario("failure twice", failure_twice, "ready 1+1"),
    Scenario("all failed", all_failed, "failed 0+2"),
    Scenario("more contents than slots", more_contents_than_slots, "ready 2+0"),
    Scenario("more failures than slots", more_failures_than_slots, "failed 0+1", is_small=True),
    Scenario("arrivals after the final result", arrivals_after_the_final_result, "ready 1+0", is_fixed=False),
    Scenario("deadline by a sweep", deadline_by_a_sweep, "timed_out 1+0", is_fixed=False, is_small=True),
    Scenario("deadline by an arrival", deadline_by_an_arrival, "timed_out 1+0", is_fixed=False),
    Scenario("sweep racing the last arrival", sweep_racing_the_last_arrival, "timed_out 1+0", is_fixed=False),
    Scenario(
        "registration racing its contents", registration_racing_its_contents, "ready 2+0", is_small=True
    ),
    Scenario("duplicates on two instances", duplicates_on_two_instances, "ready 2+0"),
    Scenario("registered again", registered_again, "ready 2+0"),
    Scenario("registered in conflict", registered_in_conflict, "ready 1+0", is_fixed=False),
    Scenario("Redis flushed", redis_flushed, "ready 2+1"),
    Scenario("bus down", bus_down, "ready 1+0", is_small=True),
    Scenario("parked for too long", parked_for_too_long, "ready 1+1", is_fixed=False),
    Scenario("many batches at once", many_batches_at_once, "ready 1+0"),
    Scenario("poison among good", poison_among_good, "ready 2+0"),
    Scenario("still open", still_open, "open 1+1", is_small=True),
)
