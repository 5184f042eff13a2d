"""Real processes want the same slots at the same moment; each counts once."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import pytest

from els_core.application.register_batch import Opened, RegistrationAnswer, Rejected, Repeated
from els_core.domain.arrivals import Arrival
from els_core.domain.batches import Registration
from els_core.domain.outcomes import Assigned, Duplicate
from tests.factories import content, failure, registration
from tests.integration.worker_processes import at_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.events import OutboxMessage
    from tests.integration.environment import World

type Work = Arrival | Registration


def provide(world: World, arrivals: Sequence[Arrival]) -> tuple[list[object], list[OutboxMessage]]:
    return [*world.provision.provision(arrivals).outcomes], world.bus.taken


def register(world: World, one: Registration) -> tuple[list[RegistrationAnswer], list[OutboxMessage]]:
    return [*world.register.register([one]).answers], world.bus.taken


def take(world: World, chunks: Sequence[Sequence[Work]]) -> list[OutboxMessage]:
    """Do what both queues bring, chunk by chunk."""
    for chunk in chunks:
        world.register.register([item for item in chunk if isinstance(item, Registration)])
        world.provision.provision([item for item in chunk if not isinstance(item, Registration)])
    return world.bus.taken


def kinds(taken: Sequence[OutboxMessage]) -> Counter[str]:
    """Count distinct events by kind."""
    return Counter({message.event_id: message.detail_type for message in taken}.values())


@pytest.mark.fault(1)
def test_twenty_processes_with_the_same_content_use_one_slot_and_all_are_acknowledged(world: World) -> None:
    world.register.register([registration(25)])
    answers = [outcomes[0] for outcomes, _ in at_once(world, provide, [[content("same")]] * 20)]
    [slot] = world.snapshot().assigned
    first = Assigned(slot.essay_id)
    assert sorted(map(repr, answers)) == [repr(first)] + [repr(Duplicate(first))] * 19


@pytest.mark.fault(1)
@pytest.mark.fault(4)
def test_thirty_contents_for_fifteen_slots_are_fifteen_bound_and_fifteen_reported_once(world: World) -> None:
    world.register.register([registration(15)])
    contents = [content(f"c{n}") for n in range(30)]
    random.Random(1).shuffle(contents)  # noqa: S311 - a repeatable order
    shares = [[contents[n % 30] for n in range(start, start + 6)] for start in range(0, 30, 3)]
    results = at_once(world, provide, shares)  # each content is delivered to two processes
    answers = Counter(type(answer).__name__ for outcomes, _ in results for answer in outcomes)
    assert answers == {"Assigned": 15, "Excess": 15, "Duplicate": 30}
    taken = [message for _, sent in results for message in sent]
    assert Counter(message.detail_type for message in taken)["ExcessContentProvisioned"] == 15
    assert kinds(taken)["ExcessContentProvisioned"] == 15
    assert kinds(taken)["BatchEssaysReady"] == 1


@pytest.mark.fault(1)
@pytest.mark.fault(4)
@pytest.mark.fault(5)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_event_delivered_up_to_five_times_in_any_order_on_twenty_workers_counts_once(
    world: World, seed: int
) -> None:
    order = random.Random(seed)  # noqa: S311 - a repeatable order
    names = [f"b{n}" for n in range(6)]
    events: list[Work] = [registration(25, name) for name in names]
    events += [content(f"c{n}", name) for name in names for n in range(20)]
    events += [failure(f"f{n}", name) for name in names for n in range(5)]
    deliveries = [event for event in events for _ in range(order.randint(1, 5))]
    order.shuffle(deliveries)
    chunks = [deliveries[at : at + 10] for at in range(0, len(deliveries), 10)]
    sent = at_once(world, take, [chunks[worker::20] for worker in range(20)])
    world.relay.run(lambda: True)
    taken = [message for messages in sent for message in messages] + world.bus.taken
    assert kinds(taken)["BatchEssaysReady"] == len(names)
    assert kinds(taken)["ExcessContentProvisioned"] == 0
    for name in names:
        snapshot = world.snapshot(name)
        assert (len(snapshot.assigned), len(snapshot.slot_failures), snapshot.batch.status) == (
            20,
            5,
            "ready",
        )


@pytest.mark.fault(6)
def test_of_registrations_at_the_same_moment_one_stands_and_the_others_agree_or_are_rejected(
    world: World,
) -> None:
    same, other = registration(2), registration(3)
    results = at_once(world, register, [same, other] * 4)
    answers = Counter(type(answer) for [answer], _ in results)
    assert answers == {Opened: 1, Repeated: 3, Rejected: 4}
    taken = [message for _, sent in results for message in sent]
    assert kinds(taken) == {"BatchRegistrationRejected": 1}


def die_in_the_transaction(world: World, one: Registration) -> None:
    """Be killed when everything is written and nothing committed."""

    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    world.on_commit(kill)
    world.register.register([one])


@pytest.mark.fault(6)
@pytest.mark.fault(2)
def test_a_process_killed_inside_a_registration_leaves_nothing_and_the_same_again_repairs(
    world: World,
) -> None:
    world.provision.provision([content("early")])
    with pytest.raises(BrokenProcessPool):
        at_once(world, die_in_the_transaction, [registration(2)])
    assert world.snapshot().batch.status == "awaited"
    assert world.register.register([registration(2)]).answers == [Opened()]
    assert (len(world.snapshot().assigned), len(world.snapshot().available)) == (1, 1)


def test_five_batches_filled_at_once_by_five_processes_are_all_ready(world: World) -> None:
    names = [f"b{number}" for number in range(5)]
    work: list[Work] = [content(f"c{slot}", name) for name in names for slot in range(20)]
    work += [registration(20, name) for name in names]
    random.Random(5).shuffle(work)  # noqa: S311 - a repeatable order
    shares = [[work[at : at + 7] for at in range(start, len(work), 35)] for start in range(0, 35, 7)]
    taken = [message for sent in at_once(world, take, shares) for message in sent]
    assert {name: len(world.snapshot(name).assigned) for name in names} == dict.fromkeys(names, 20)
    assert kinds(taken)["BatchEssaysReady"] == len(names)
