"""The short form of `make chaos`: instances are killed and stores break, and reconciliation finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.chaos.experiment import Experiment
from dev.chaos.faults import PostgresFaults
from dev.chaos.redis_topologies import PrimaryWithReplica
from dev.chaos.scenarios import chaos

if TYPE_CHECKING:
    from pathlib import Path


def test_kills_and_faults_break_no_promise(built: Path) -> None:
    with Experiment(
        "short chaos", PrimaryWithReplica(), built, seed=7, rate=60, provisioning=2
    ) as experiment:
        faults = (
            *experiment.redis.faults(),
            *PostgresFaults(experiment.environment.postgres).faults(),
        )
        by_name = {fault.name: fault for fault in faults}
        chaos(
            experiment,
            seconds=60,
            schedule=[
                [by_name["Valkey: FLUSHALL"]],
                [
                    by_name["Valkey: failed over to a lagging replica"],
                    by_name["Postgres: every connection cut"],
                ],
                [by_name["Postgres: crashed"]],
            ],
        )
    assert experiment.breaches == []
    assert len(experiment.injected) == 4
    assert experiment.process_killer.kills.total() > 0
    assert experiment.producer.poison
