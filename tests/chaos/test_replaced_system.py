"""The distributed tests of the replaced system, with real processes: every one must succeed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING, Any

from dev.chaos.environment import Environment
from dev.chaos.experiment import Experiment
from dev.chaos.redis_topologies import PrimaryWithReplica
from dev.chaos.scenarios import endurance
from dev.chaos.workload import PROFILES, InboundEvent, WorkloadGenerator
from dev.deploy.template import Template

if TYPE_CHECKING:
    from pathlib import Path

    from dev.servers.lambda_runtime import LambdaRuntime

INSTANCES = 20


def sqs_event(*events: InboundEvent) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": event.event_id,
                "body": json.dumps({"detail-type": event.detail_type, "detail": json.loads(event.detail)}),
                "eventSource": "aws:sqs",
            }
            for event in events
        ]
    }


def of_type(events: list[InboundEvent], detail_type: str) -> list[InboundEvent]:
    return [event for event in events if event.detail_type == detail_type]


def test_twenty_instances_given_the_same_event_at_once_assign_it_once(built: Path) -> None:
    workload = WorkloadGenerator(Random(1), "twenty")  # noqa: S311 - a repeatable workload
    batch, other = workload.next_batch(PROFILES[0], 25), workload.next_batch(PROFILES[0], 25)
    same_content = sqs_event(of_type(batch.events, "EssayContentProvisioned")[0])
    warm_up = sqs_event(of_type(other.events, "EssayContentProvisioned")[0])
    barrier = Barrier(INSTANCES)

    def deliver(instance: LambdaRuntime) -> object:
        instance.invoke(warm_up)
        barrier.wait()
        return instance.invoke(same_content)

    # Twenty cold starts share the cores, so a function may take as long as in a deployment.
    seconds = Template.read().timeout_seconds("ProvisionContentFunction")
    with Environment(PrimaryWithReplica(), built, seconds) as environment, ExitStack() as stack:
        with environment.runtime("RegisterBatchFunction") as register:
            register.invoke(sqs_event(*of_type([*batch.events, *other.events], "BatchEssaysRegistered")))
        instances = [
            stack.enter_context(environment.runtime("ProvisionContentFunction")) for _ in range(INSTANCES)
        ]
        with ThreadPoolExecutor(INSTANCES) as pool:
            responses = list(pool.map(deliver, instances))
        assigned = environment.postgres.execute("SELECT batch_id FROM essays WHERE status = 'assigned'")
    assert responses == [{"batchItemFailures": []}] * INSTANCES
    assert sorted(assigned) == sorted([[batch.batch_id], [other.batch_id]])


def test_batches_at_once_under_steady_load_all_succeed_in_flat_memory(built: Path) -> None:
    with Experiment(
        "short endurance", PrimaryWithReplica(), built, seed=5, rate=60, provisioning=2
    ) as experiment:
        endurance(experiment, seconds=20)
    assert experiment.violations == []
    assert len(experiment.producer.batches) >= 5
    assert len(experiment.leak_check.growth()) == len(experiment.fleet.runtimes)
