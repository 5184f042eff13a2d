"""Commands, arrivals and sweeps at one instant: each epoch ends once, and whoever is late is told so."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.application.steer_batch import Answered
from els_core.domain.commands import Cancel, ChangeDeadline, Close, Refusal, Reopen
from tests.factories import command_request, content, registration
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.valkey import ValkeyServer
    from els_core.domain.commands import Command

ROUNDS = 200


@pytest.fixture
def environments(
    environment: Environment, database_url: str, valkey: ValkeyServer
) -> Iterator[list[Environment]]:
    """Return five environments on the same stores."""
    others = [Environment(database_url, valkey.url) for _ in range(4)]
    yield [environment, *others]
    for one in others:
        one.close()


def ends(environments: list[Environment]) -> Counter[tuple[str, int]]:
    """Return the number of different final results of each batch and epoch."""
    finals = {
        message.event_id: (message.batch_id, json.loads(message.detail)["data"]["epoch"])
        for environment in environments
        for message in environment.bus.published
        if message.is_final
    }
    return Counter(finals.values())


def refusal(environment: Environment, command: Command, command_id: str, batch_id: str) -> Refusal | None:
    request = command_request(command, command_id, batch_id, if_epoch=1)
    [answer] = environment.steer_batch.steer([request]).answers
    assert isinstance(answer, Answered)
    return answer.answer.refusal


def run_at_once(pool: ThreadPoolExecutor, *calls: Callable[[], object]) -> list[object]:
    start = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        return call()

    return [future.result() for future in [pool.submit(run, call) for call in calls]]


@pytest.mark.fault(8)
def test_an_epoch_ends_once_whatever_wants_to_end_it(environments: list[Environment]) -> None:
    one, two, three, four, five = environments
    names = [f"b{number}" for number in range(ROUNDS)]
    one.register(*(registration(2, name) for name in names))
    one.provision(*(content("first", name) for name in names))
    later = one.clock.now() + timedelta(days=1)
    allowed = {None, Refusal.TOO_LATE}
    with ThreadPoolExecutor(5) as pool:
        for number, name in enumerate(names):
            span = "1 hour" if number % 4 else "1 millisecond"
            one.execute(
                f"UPDATE batches SET deadline = clock_timestamp() + interval '{span}' "  # noqa: S608
                f"WHERE batch_id = '{name}'"
            )
            last = content("last", name)
            _, closed, cancelled, _, moved = run_at_once(
                pool,
                partial(one.provision, last),
                partial(refusal, two, Close(), "close", name),
                partial(refusal, three, Cancel(), "cancel", name),
                four.expire,
                partial(refusal, five, ChangeDeadline(later), "move", name),
            )
            assert {closed, cancelled, moved} <= allowed
            assert not (closed is None and cancelled is None)
    one.expire()
    assert ends(environments) == {(name, 1): 1 for name in names}
    statuses = Counter(one.snapshot(name).batch.status.value for name in names)
    assert len(statuses) > 1


def test_one_of_two_reopenings_begins_the_next_epoch(environments: list[Environment]) -> None:
    one, two, *_ = environments
    names = [f"b{number}" for number in range(20)]
    one.register(*(registration(2, name) for name in names))
    for name in names:
        refusal(one, Cancel(), "cancel", name)
    with ThreadPoolExecutor(2) as pool:
        for name in names:
            answers = run_at_once(
                pool,
                partial(refusal, one, Reopen(60), "one", name),
                partial(refusal, two, Reopen(60), "two", name),
            )
            assert set(answers) == {None, Refusal.WRONG_EPOCH}
            assert one.snapshot(name).batch.epoch == 2


def test_the_next_arrival_finds_a_reopened_batch_of_which_redis_was_not_told(
    environments: list[Environment],
) -> None:
    one, two, *_ = environments
    one.register(registration(3))
    one.provision(content("a"))
    refusal(one, Cancel(), "cancel", "b")
    ended = one.snapshot()
    refusal(one, Reopen(60), "again", "b")
    one.redis.flushall()
    one.coordinator.install([CoordinatorUpdate(ended)], one.clock.now())  # as if Redis had not been told
    assert two.outcomes(content("c")) == {"assigned": 1}
    one.coordinator.install([CoordinatorUpdate(ended)], one.clock.now())  # a slow installer
    assert one.coordinator.get_assigned_count("b") == 2
