"""Random worlds break no promise, are the same in every process, and tell short stories when one breaks."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import pytest

from tests.simulation.seed_checks import live_seed
from tests.simulation.seed_ranges import failed_once, first_broken, new_seeds

NEW = new_seeds(400)
PART = 100


@pytest.mark.parametrize("first", range(NEW.start, NEW.stop, PART))
def test_new_random_worlds_break_no_promise(first: int) -> None:
    seed = first_broken(range(first, first + PART))
    assert seed is None, f"make simulate SEED={seed}"


def test_worlds_that_once_broke_a_promise_break_none() -> None:
    seed = first_broken(failed_once())
    assert seed is None, f"make simulate SEED={seed}"


def digest(first: int) -> str:
    stories = [line for seed in range(first, first + 20) for line in live_seed(seed).story.read()]
    return sha256("\n".join(stories).encode()).hexdigest()


def test_a_seed_gives_the_same_world_in_every_process() -> None:
    command = f"from tests.simulation.test_random_worlds import digest; print(digest({NEW.start}))"
    elsewhere = {
        subprocess.run(
            [sys.executable, "-c", command],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert elsewhere == {digest(NEW.start)}
