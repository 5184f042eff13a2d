"""A command that a fault hits at any call is answered once, has one effect and its events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from els_core.application.steer_batch import Answered, SteerBatch
from els_core.domain.commands import (
    AddSlots,
    Announce,
    Cancel,
    ChangeDeadline,
    Close,
    CommandName,
    ReleaseSlot,
    Reopen,
    WithdrawSlots,
)
from els_core.domain.errors import FaultError
from tests.factories import command_request, content, failure, registration
from tests.fakes.clock import START
from tests.fakes.cooperative_scheduler import ProcessKilled
from tests.simulation.environment import Environment
from tests.simulation.fault_injection import Fault, PlannedFaults, faults_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from els_core.application.steer_batch import SteeringAnswer
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.commands import Command
    from tests.fakes.failpoints import Failpoint

SHORT = 1_200


def awaited(env: Environment) -> None:
    env.send(content("c1"), failure("f1"))
    env.provision()


def filling(env: Environment) -> None:
    env.send(registration(4), content("c1"), failure("f1"))
    env.register()
    env.provision()


def overdue(env: Environment) -> None:
    env.send(registration(4, timeout_seconds=SHORT), content("c1"), failure("f1"))
    env.register()
    env.provision()
    env.advance(timedelta(seconds=SHORT))


def ended(env: Environment) -> None:
    overdue(env)
    env.sweep()
    env.send(content("c2"), content("c3", supersedes="content:c1"))
    env.provision()


CASES: list[tuple[Callable[[Environment], None], Command]] = [
    (awaited, Cancel()),
    (filling, Cancel()),
    (filling, Close()),
    (filling, WithdrawSlots(count=2)),
    (filling, AddSlots(("more",))),
    (filling, ReleaseSlot("content:c1")),
    (filling, ChangeDeadline(START + timedelta(days=2))),
    (filling, Reopen(60)),  # refused
    (overdue, Close()),  # refused, and the batch is closed by its deadline
    (overdue, Reopen(3_600)),
    (ended, Reopen(3_600)),
    (ended, Announce()),
]

type End = tuple[BatchSnapshot, frozenset[str], SteeringAnswer, int]


def test_every_command_has_a_case() -> None:
    assert {command.name for _, command in CASES} == set(CommandName)


@pytest.mark.fault(2)
@pytest.mark.parametrize(("prepare", "command"), CASES)
def test_a_command_has_one_answer_and_one_effect_whatever_happens_at_any_call(
    prepare: Callable[[Environment], None], command: Command
) -> None:
    undisturbed, passed = told(prepare, command, {})
    for number, failpoint in enumerate(passed):
        for fault in faults_at(failpoint):
            end, _ = told(prepare, command, {number: fault})
            assert end == undisturbed, f"{fault} at {failpoint}"


def told(
    prepare: Callable[[Environment], None], command: Command, plan: Mapping[int, Fault]
) -> tuple[End, list[Failpoint]]:
    """Prepare the batch, deliver the command until it is acknowledged, then send what is left."""
    env = Environment()
    prepare(env)
    env.injector = injector = PlannedFaults(plan)
    request = command_request(command)
    answers: list[SteeringAnswer] = []
    while len(answers) < 2:  # it comes once more after it was answered
        process = env.new_process()
        try:
            answers += SteerBatch(process.post_commit, process.encoder).steer([request]).answers
        except (ProcessKilled, FaultError):
            continue
    first, again = answers
    assert isinstance(first, Answered)
    assert again == Answered(first.answer, is_repeated=True)
    env.advance(timedelta(minutes=2))
    env.relay()
    assert env.stores.outbox() == []
    [snapshot] = env.stores.repository.snapshots(["b"])
    commands = len(env.fakes.repository.database.commands.committed)
    # The moment of a re-opening depends on when the command came through.
    timeless = replace(snapshot, batch=replace(snapshot.batch, deadline=None))
    ids = frozenset(str(message.event_id) for message in env.bus.accepted)
    return (timeless, ids, again, commands), injector.passed
