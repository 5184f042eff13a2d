"""The runbook docs/runbooks/redrive.md, tried end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.chaos.experiment import Act
from dev.chaos.redis_topologies import Alone
from dev.deploy.redrive import redrive

if TYPE_CHECKING:
    from pathlib import Path


def test_what_died_while_the_record_was_down_is_all_done_once_after_a_redrive(built: Path) -> None:
    with Act("redrive", Alone(), built, seed=11, rate=200, provision=2, batches=8) as act:
        world, sqs = act.world, act.world.sqs()
        fed = [queue for queue in world.queues.values() if queue.dead_letters]
        world.postgres.stop()
        world.be_patient(visibility_seconds=2, receives=2)
        act.begin(with_kills=False)
        act.until("the queues are empty", lambda: not any(world.depth(sqs, queue) for queue in fed))
        dead = {queue.name: world.depth(sqs, queue.dead_letters) for queue in fed if queue.dead_letters}
        assert all(dead.values())

        world.postgres.start()
        world.be_patient()
        moved = {
            queue.name: redrive(sqs, queue.dead_letters.url, queue.url) for queue in fed if queue.dead_letters
        }
        act.settle()
        act.balance()
    assert moved == dead
    assert {name: wrong for name, wrong in act.breaches.items() if wrong} == {}
    assert len(act.upstream.plans) == 8
    assert act.upstream.poison
