"""Many seeds, on two processes."""

from __future__ import annotations

import shutil
import signal
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulation.seed_runs import run_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PROCESSES = 2
CHUNK = 25  # seeds
REGRESSION_SEEDS = Path(__file__).with_name("seeds.txt")


def first_failing_in_parallel(
    seeds: Sequence[int], progress: Callable[[int], None], processes: int = PROCESSES
) -> int | None:
    """Return the first of these seeds whose run violates an invariant, None when none does.

    `progress` is called with the number of runs that have finished since its last call.
    """
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(processes, initializer=ignore_interrupts) as pool:
        results = [pool.submit(first_failing, chunk) for chunk in chunks]
        try:
            for chunk, result in zip(chunks, results, strict=True):
                if (seed := result.result()) is not None:
                    return seed
                progress(len(chunk))
        finally:
            pool.shutdown(cancel_futures=True)
    return None


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, so that a process of a pool finishes what it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def first_failing(seeds: Iterable[int]) -> int | None:
    """Return the first of these seeds whose run violates an invariant, None when none does."""
    return next((seed for seed in seeds if run_seed(seed).violation is not None), None)


def regression_seeds() -> list[int]:
    """Return the committed seeds whose runs have failed once."""
    lines = REGRESSION_SEEDS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def seeds_of_commit(count: int) -> range:
    """Return seeds derived from the commit that is checked out, so that each commit tries new ones."""
    git = shutil.which("git")
    command = [git, "rev-parse", "HEAD"] if git else ["true"]
    head = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    first = int(head[:9] or "0", 16)
    return range(first, first + count)
