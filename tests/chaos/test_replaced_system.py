"""The distributed tests of the replaced system, made true: real processes, and success is 100 %."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING, Any

from dev.chaos.environment import World
from dev.chaos.experiment import Act
from dev.chaos.redis_topologies import Alone
from dev.chaos.scenarios import endurance
from dev.chaos.workload import KINDS, Announced, Planner

if TYPE_CHECKING:
    from pathlib import Path

    from dev.servers.lambda_runtime import LambdaRuntime

COPIES = 20


def records(*announced: Announced) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": one.event_id,
                "body": json.dumps({"detail-type": one.detail_type, "detail": json.loads(one.detail)}),
                "eventSource": "aws:sqs",
            }
            for one in announced
        ]
    }


def of_kind(events: list[Announced], detail_type: str) -> list[Announced]:
    return [event for event in events if event.detail_type == detail_type]


def test_twenty_instances_given_the_same_event_at_once_assign_it_once(built: Path) -> None:
    planner = Planner(Random(1), "twenty")  # noqa: S311 - a repeatable plan
    plan, other = planner.next(KINDS[0], 25), planner.next(KINDS[0], 25)
    same = records(of_kind(plan.events, "EssayContentProvisioned")[0])
    warming = records(of_kind(other.events, "EssayContentProvisioned")[0])
    at_once = Barrier(COPIES)

    def deliver(copy: LambdaRuntime) -> object:
        copy.invoke(warming)
        at_once.wait()
        return copy.invoke(same)

    with World(Alone(), built) as world, ExitStack() as instances:
        with world.runtime("RegisterBatchFunction", "register") as register:
            register.invoke(records(*of_kind([*plan.events, *other.events], "BatchEssaysRegistered")))
        copies = [
            instances.enter_context(world.runtime("ProvisionContentFunction", "provision"))
            for _ in range(COPIES)
        ]
        with ThreadPoolExecutor(COPIES) as pool:
            answers = list(pool.map(deliver, copies))
        assigned = world.postgres.execute("SELECT batch_id FROM essays WHERE status = 'assigned'")
    assert answers == [{"batchItemFailures": []}] * COPIES
    assert sorted(assigned) == sorted([[plan.batch_id], [other.batch_id]])


def test_batches_at_once_under_steady_load_all_succeed_in_flat_memory(built: Path) -> None:
    with Act("short endurance", Alone(), built, seed=5, rate=60, provision=2) as act:
        endurance(act, seconds=20)
    assert {name: wrong for name, wrong in act.breaches.items() if wrong} == {}
    assert len(act.upstream.plans) >= 5
    assert len(act.memory.growth()) == len(act.fleet.runtimes)
