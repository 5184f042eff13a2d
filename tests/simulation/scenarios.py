"""The stories of FAULTS.md at the level of use cases; each is played once, with a mishap at every call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.factories import content, failure, registration
from tests.simulation.world import PARKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.domain.batches import Registration
    from tests.simulation.world import World

DAY = 86_400
SHORT = 1_200  # longer than the redeliveries of a story take, shorter than a wait
A, C, D = (content(name) for name in "acd")
F, G = failure("f"), failure("g")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story, and how batch b ends in it without a mishap: its status, assigned + failed slots.

    `is_settled` says that its final state does not depend on what a mishap delays.
    """

    name: str
    play: Callable[[World], None]
    ends: str
    is_settled: bool = True
    is_small: bool = False


def batch(slots: int, batch_id: str = "b", timeout_seconds: int = DAY) -> Registration:
    return registration(slots, batch_id, timeout_seconds)


def deliver(world: World) -> None:
    world.register()
    world.provision()


def single(world: World) -> None:
    world.send(batch(1), A)
    deliver(world)


def duplicates(world: World) -> None:
    world.send(batch(2), A, A)
    deliver(world)
    world.send(A, C)
    world.provision()


def content_first(world: World) -> None:
    world.send(A, F)
    world.provision()
    world.send(batch(2))
    world.register()


def failure_first(world: World) -> None:
    world.send(F, batch(2))
    world.provision()
    world.register()
    world.send(A)
    world.provision()


def failure_last(world: World) -> None:
    world.send(batch(2), A)
    deliver(world)
    world.send(F)
    world.provision()


def failure_twice(world: World) -> None:
    world.send(batch(2), F, F, A)
    deliver(world)
    world.send(F)
    world.provision()


def all_failed(world: World) -> None:
    world.send(batch(2), F)
    deliver(world)
    world.send(G)
    world.provision()


def more_contents_than_slots(world: World) -> None:
    world.send(batch(2), A, C, D)
    world.register()
    world.provision(2)
    world.provision()
    world.send(D, A)
    world.provision()


def more_failures_than_slots(world: World) -> None:
    world.send(batch(1), F, G)
    deliver(world)
    world.send(G)
    world.provision()


def late_after_the_end(world: World) -> None:
    world.send(batch(1), A)
    deliver(world)
    world.send(C, F, A, batch(1))
    world.provision()
    world.register()


def deadline_by_a_sweep(world: World) -> None:
    world.send(batch(3, timeout_seconds=SHORT), A)
    deliver(world)
    world.advance(timedelta(seconds=SHORT))
    world.sweep()


def deadline_by_an_arrival(world: World) -> None:
    world.send(batch(3, timeout_seconds=SHORT), A)
    deliver(world)
    world.advance(timedelta(seconds=SHORT))
    world.send(C, F)
    world.provision()


def sweep_racing_the_last_arrival(world: World) -> None:
    world.send(batch(2, timeout_seconds=SHORT), A)
    deliver(world)
    world.send(C)
    world.advance(timedelta(seconds=SHORT))
    world.at_once(world.provision, world.sweep)


def registration_racing_its_contents(world: World) -> None:
    world.send(batch(2), A, C)
    world.at_once(world.register, world.provision)


def twins_on_two_copies(world: World) -> None:
    world.send(batch(2), A, A, C)
    world.register()
    world.at_once(lambda: world.provision(1), lambda: world.provision(2))


def registered_again(world: World) -> None:
    world.send(batch(2), batch(2))
    world.register(1)
    world.send(A)
    world.provision()
    world.register()
    world.send(C)
    world.provision()


def registered_in_conflict(world: World) -> None:
    world.send(batch(1), A)
    world.register()
    world.send(batch(3))
    deliver(world)


def redis_flushed(world: World) -> None:
    world.send(batch(3), A)
    deliver(world)
    world.stores.flush()
    world.send(A, C)
    world.provision()
    world.stores.flush()
    world.send(F)
    world.provision()


def bus_down(world: World) -> None:
    world.bus.is_down = True
    world.send(batch(1), A)
    deliver(world)
    world.bus.is_down = False
    world.advance(timedelta(minutes=1))
    world.relay()


def parked_for_too_long(world: World) -> None:
    world.send(A, F)
    world.provision()
    world.advance(PARKING)
    world.sweep()
    world.sweep()
    world.send(batch(2))
    world.register()


def many_batches_at_once(world: World) -> None:
    world.send(content("a", "b3"))
    world.provision()
    world.send(*(batch(1, name) for name in ("b", "b2", "b3")))
    world.register()
    world.send(*(content("a", name) for name in ("b", "b2", "b3")))
    world.provision()


def poison_among_good(world: World) -> None:
    world.send(batch(2), A, "{", C)
    deliver(world)


def still_open(world: World) -> None:
    world.send(batch(4), A, F)
    deliver(world)


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
    Scenario("late after the end", late_after_the_end, "ready 1+0", is_settled=False),
    Scenario("deadline by a sweep", deadline_by_a_sweep, "timed_out 1+0", is_settled=False, is_small=True),
    Scenario("deadline by an arrival", deadline_by_an_arrival, "timed_out 1+0", is_settled=False),
    Scenario(
        "sweep racing the last arrival", sweep_racing_the_last_arrival, "timed_out 1+0", is_settled=False
    ),
    Scenario(
        "registration racing its contents", registration_racing_its_contents, "ready 2+0", is_small=True
    ),
    Scenario("twins on two copies", twins_on_two_copies, "ready 2+0"),
    Scenario("registered again", registered_again, "ready 2+0"),
    Scenario("registered in conflict", registered_in_conflict, "ready 1+0", is_settled=False),
    Scenario("Redis flushed", redis_flushed, "ready 2+1"),
    Scenario("bus down", bus_down, "ready 1+0", is_small=True),
    Scenario("parked for too long", parked_for_too_long, "ready 1+1", is_settled=False),
    Scenario("many batches at once", many_batches_at_once, "ready 1+0"),
    Scenario("poison among good", poison_among_good, "ready 2+0"),
    Scenario("still open", still_open, "open 1+1", is_small=True),
)
