"""The runbook docs/runbooks/redrive.md, from dead letters to final results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.chaos.experiment import Experiment
from dev.chaos.redis_topologies import PrimaryWithReplica
from dev.deploy.redrive import redrive

if TYPE_CHECKING:
    from pathlib import Path


def test_messages_that_died_while_postgres_was_down_are_processed_once_after_a_redrive(built: Path) -> None:
    with Experiment(
        "redrive", PrimaryWithReplica(), built, seed=11, rate=200, provisioning=2, batch_limit=8
    ) as experiment:
        environment, sqs = experiment.environment, experiment.environment.sqs()
        queues = environment.source_queues.values()
        environment.postgres.stop()
        environment.set_redelivery(visibility_seconds=2, max_receive_count=2)
        experiment.start(with_kills=False)
        experiment.finish_load(
            "the queues are empty", lambda: not any(environment.depth(sqs, queue) for queue in queues)
        )
        dead = {queue.name: environment.depth(sqs, queue.dead_letter_queue) for queue in queues}
        assert all(dead.values())

        environment.postgres.start()
        environment.reset_redelivery()
        moved = {queue.name: redrive(sqs, queue.dead_letter_queue.url, queue.url) for queue in queues}
        experiment.drain()
        experiment.reconcile()
    assert moved == dead
    assert experiment.breaches == []
    assert len(experiment.producer.batches) == 8
    assert experiment.producer.poison
