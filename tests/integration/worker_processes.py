"""Runs work in many processes at the same moment, each with an environment of its own."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.synchronize import Barrier

# The fork server imports the code once, including what is imported late, and forks every worker from that.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        __name__,
        "tests.integration.test_many_processes",
        "sqlalchemy.dialects.postgresql.pg8000",
        "pg8000.legacy",
    ]
)


@dataclass(frozen=True)
class Worker:
    """The state of one worker process: its environment, and the barrier that starts all workers together."""

    environment: Environment
    start: Barrier


_worker_of_this_process: list[Worker] = []


def run_at_once[Item, T](
    stores: Environment, work: Callable[[Environment, Item], T], items: Sequence[Item]
) -> list[T]:
    """Run `work` on each item in a process of its own, all starting at the same moment."""
    arguments = (stores.database_url, stores.redis_url, PROCESSES.Barrier(len(items)))
    with ProcessPoolExecutor(len(items), PROCESSES, initializer=_connect, initargs=arguments) as pool:
        return list(pool.map(_run, [work] * len(items), items))


def _connect(database_url: str, redis_url: str, start: Barrier) -> None:
    """Connect before the start, so that the workers race for slots and not for connections."""
    environment = Environment(database_url, redis_url)
    environment.repository.snapshots(["no-such-batch"])
    environment.redis.ping()
    _worker_of_this_process.append(Worker(environment, start))


def _run[Item, T](work: Callable[[Environment, Item], T], item: Item) -> T:
    [worker] = _worker_of_this_process
    worker.start.wait()
    return work(worker.environment, item)
