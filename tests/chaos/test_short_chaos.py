"""The short form of `make chaos`: real runtimes are killed and their stores break, and the books balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.chaos.experiment import Act
from dev.chaos.faults import Record
from dev.chaos.redis_topologies import Alone
from dev.chaos.scenarios import chaos

if TYPE_CHECKING:
    from pathlib import Path


def test_kills_and_faults_break_no_promise(built: Path) -> None:
    with Act("short chaos", Alone(), built, seed=7, rate=60, provision=2) as act:
        by_name = {fault.name: fault for fault in (*act.store.faults(), *Record(act.world.postgres).faults())}
        chaos(
            act,
            seconds=60,
            misfortunes=[
                [by_name["Valkey: FLUSHALL"]],
                [
                    by_name["Valkey: failed over to a lagging replica"],
                    by_name["Postgres: every connection cut"],
                ],
                [by_name["Postgres: crashed"]],
            ],
        )
    assert {name: wrong for name, wrong in act.breaches.items() if wrong} == {}
    assert len(act.faults) == 4
    assert act.killer.kills.total() > 0
    assert act.upstream.poison
