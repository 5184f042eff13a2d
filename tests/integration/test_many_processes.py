"""Real processes compete for the same slots at the same moment; every arrival counts once."""

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
from tests.integration.environment import event_counts
from tests.integration.postgres_proxy import ProxiedEnvironment
from tests.integration.worker_processes import run_at_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.events import OutboxMessage
    from tests.integration.environment import Environment

type Work = Arrival | Registration


def provision(
    environment: Environment, arrivals: Sequence[Arrival]
) -> tuple[list[object], list[OutboxMessage]]:
    return [*environment.provision(*arrivals).outcomes], environment.bus.published


def register(
    environment: Environment, one: Registration
) -> tuple[list[RegistrationAnswer], list[OutboxMessage]]:
    return [*environment.register(one).answers], environment.bus.published


def consume(environment: Environment, chunks: Sequence[Sequence[Work]]) -> list[OutboxMessage]:
    """Process the messages of both queues chunk by chunk, and return what was published."""
    for chunk in chunks:
        environment.register(*(item for item in chunk if isinstance(item, Registration)))
        environment.provision(*(item for item in chunk if not isinstance(item, Registration)))
    return environment.bus.published


@pytest.mark.fault(1)
def test_the_same_content_in_twenty_processes_gets_one_slot_and_every_message_is_acknowledged(
    environment: Environment,
) -> None:
    environment.register(registration(25))
    answers = [outcomes[0] for outcomes, _ in run_at_once(environment, provision, [[content("same")]] * 20)]
    [slot] = environment.snapshot().assigned
    first = Assigned(slot.essay_id)
    assert sorted(map(repr, answers)) == [repr(first)] + [repr(Duplicate(first))] * 19


@pytest.mark.fault(1)
@pytest.mark.fault(4)
def test_of_thirty_contents_for_fifteen_slots_fifteen_are_assigned_and_fifteen_announced_as_excess_once(
    environment: Environment,
) -> None:
    environment.register(registration(15))
    contents = [content(f"c{n}") for n in range(30)]
    random.Random(1).shuffle(contents)  # noqa: S311 - a repeatable order
    shares = [[contents[n % 30] for n in range(start, start + 6)] for start in range(0, 30, 3)]
    results = run_at_once(environment, provision, shares)  # every content is delivered to two processes
    answers = Counter(type(answer).__name__ for outcomes, _ in results for answer in outcomes)
    assert answers == {"Assigned": 15, "Excess": 15, "Duplicate": 30}
    published = [message for _, sent in results for message in sent]
    assert Counter(message.detail_type for message in published)["ExcessContentProvisioned"] == 15
    assert event_counts(published)["ExcessContentProvisioned"] == 15
    assert event_counts(published)["BatchEssaysReady"] == 1


@pytest.mark.fault(1)
@pytest.mark.fault(4)
@pytest.mark.fault(5)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_event_delivered_up_to_five_times_in_any_order_to_twenty_workers_counts_once(
    environment: Environment, seed: int
) -> None:
    order = random.Random(seed)  # noqa: S311 - a repeatable order
    names = [f"b{n}" for n in range(6)]
    events: list[Work] = [registration(25, name) for name in names]
    events += [content(f"c{n}", name) for name in names for n in range(20)]
    events += [failure(f"f{n}", name) for name in names for n in range(5)]
    deliveries = [event for event in events for _ in range(order.randint(1, 5))]
    order.shuffle(deliveries)
    chunks = [deliveries[at : at + 10] for at in range(0, len(deliveries), 10)]
    sent = run_at_once(environment, consume, [chunks[worker::20] for worker in range(20)])
    environment.relay()
    published = [message for messages in sent for message in messages] + environment.bus.published
    assert event_counts(published)["BatchEssaysReady"] == len(names)
    assert event_counts(published)["ExcessContentProvisioned"] == 0
    for name in names:
        snapshot = environment.snapshot(name)
        assert (len(snapshot.assigned), len(snapshot.slot_failures), snapshot.batch.status) == (
            20,
            5,
            "ready",
        )


@pytest.mark.fault(6)
def test_of_simultaneous_registrations_one_opens_the_batch_and_the_others_are_repeated_or_rejected(
    environment: Environment,
) -> None:
    same, other = registration(2), registration(3)
    results = run_at_once(environment, register, [same, other] * 4)
    answers = Counter(type(answer) for [answer], _ in results)
    assert answers == {Opened: 1, Repeated: 3, Rejected: 4}
    published = [message for _, sent in results for message in sent]
    assert event_counts(published) == {"BatchRegistrationRejected": 1}


def die_before_the_commit(environment: Environment, one: Registration) -> None:
    """Kill this process when everything is written and nothing is committed."""

    proxied = ProxiedEnvironment(environment.database_url, environment.redis_url)
    proxied.proxy.before_next_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    proxied.register(one)


@pytest.mark.fault(6)
@pytest.mark.fault(2)
def test_a_process_killed_during_a_registration_leaves_nothing_and_a_retry_succeeds(
    environment: Environment,
) -> None:
    environment.provision(content("early"))
    with pytest.raises(BrokenProcessPool):
        run_at_once(environment, die_before_the_commit, [registration(2)])
    assert environment.snapshot().batch.status == "awaited"
    assert environment.register(registration(2)).answers == [Opened()]
    assert (len(environment.snapshot().assigned), len(environment.snapshot().available)) == (1, 1)


def test_five_batches_filled_at_once_by_five_processes_all_become_ready(environment: Environment) -> None:
    names = [f"b{number}" for number in range(5)]
    work: list[Work] = [content(f"c{slot}", name) for name in names for slot in range(20)]
    work += [registration(20, name) for name in names]
    random.Random(5).shuffle(work)  # noqa: S311 - a repeatable order
    shares = [[work[at : at + 7] for at in range(start, len(work), 35)] for start in range(0, 35, 7)]
    published = [message for sent in run_at_once(environment, consume, shares) for message in sent]
    assert {name: len(environment.snapshot(name).assigned) for name in names} == dict.fromkeys(names, 20)
    assert event_counts(published)["BatchEssaysReady"] == len(names)
