"""Runs two calls at the same moment."""

from __future__ import annotations

from threading import Barrier
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor


def run_both_at_once(
    first: Callable[[], object], second: Callable[[], object], pool: ThreadPoolExecutor
) -> None:
    """Run both calls on the pool, starting together, and wait for both."""
    start = Barrier(2)

    def run(call: Callable[[], object]) -> None:
        start.wait()
        call()

    for future in [pool.submit(run, first), pool.submit(run, second)]:
        future.result()
