"""Copies of the functions in processes of their own, let go at the same moment."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.synchronize import Barrier

# A server process imports the code once, what is imported late too, and forks a copy for each that is wanted.
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
class Copy:
    """What one process has: its own world, and the moment at which it is let go."""

    world: World
    start: Barrier


_copy_of_this_process: list[Copy] = []


def at_once[Item, T](stores: World, work: Callable[[World, Item], T], items: Sequence[Item]) -> list[T]:
    """Run the work on each item in a process of its own, all let go at the same moment."""
    opening = (stores.database_url, stores.redis_url, PROCESSES.Barrier(len(items)))
    with ProcessPoolExecutor(len(items), PROCESSES, initializer=_open, initargs=opening) as pool:
        return list(pool.map(_run, [work] * len(items), items))


def _open(database_url: str, redis_url: str, start: Barrier) -> None:
    world = World(database_url, redis_url)
    world.repository.find("connect now, not when let go")
    world.redis.ping()
    _copy_of_this_process.append(Copy(world, start))


def _run[Item, T](work: Callable[[World, Item], T], item: Item) -> T:
    [copy] = _copy_of_this_process
    copy.start.wait()
    return work(copy.world, item)
