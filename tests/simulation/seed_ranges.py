"""Many worlds on two processes."""

from __future__ import annotations

import shutil
import signal
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulation.seed_checks import live_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PROCESSES = 2
CHUNK = 25
FAILED_ONCE = Path(__file__).with_name("seeds.txt")


def broken_among(
    seeds: Sequence[int], progress: Callable[[int], None], processes: int = PROCESSES
) -> int | None:
    """Return the first of these seeds whose world breaks a promise, and None when none does.

    `progress` hears how many worlds have lived since it was told last.
    """
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(processes, initializer=leave_interruptions_to_the_parent) as pool:
        lives = [pool.submit(first_broken, chunk) for chunk in chunks]
        try:
            for chunk, lived in zip(chunks, lives, strict=True):
                if (seed := lived.result()) is not None:
                    return seed
                progress(len(chunk))
        finally:
            pool.shutdown(cancel_futures=True)
    return None


def leave_interruptions_to_the_parent() -> None:
    """Let a process of a pool finish what it does when Ctrl-C is pressed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def first_broken(seeds: Iterable[int]) -> int | None:
    """Let worlds live one by one up to the first that breaks a promise."""
    return next((seed for seed in seeds if live_seed(seed).breach is not None), None)


def failed_once() -> list[int]:
    """Return the committed seeds that have failed at some time."""
    lines = FAILED_ONCE.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def new_seeds(count: int) -> range:
    """Return seeds that follow from the commit that is checked out: new ones with each commit."""
    git = shutil.which("git")
    command = [git, "rev-parse", "HEAD"] if git else ["true"]
    head = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    first = int(head[:9] or "0", 16)
    return range(first, first + count)
