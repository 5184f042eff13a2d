"""Simulated runs violate no invariant, and a seed gives the same run in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import pytest

from tests.simulation.seed_ranges import first_failing, regression_seeds, seeds_of_commit
from tests.simulation.seed_runs import run_seed

NEW = seeds_of_commit(400)
PART = 100


@pytest.mark.parametrize("first", range(NEW.start, NEW.stop, PART))
def test_new_seeds_violate_no_invariant(first: int) -> None:
    seed = first_failing(range(first, first + PART))
    assert seed is None, f"make simulate SEED={seed}"


def test_seeds_that_failed_once_violate_no_invariant() -> None:
    seed = first_failing(regression_seeds())
    assert seed is None, f"make simulate SEED={seed}"


def digest(first: int) -> str:
    lines = [line for seed in range(first, first + 20) for line in run_seed(seed).trace.lines()]
    return sha256("\n".join(lines).encode()).hexdigest()


def test_a_seed_gives_the_same_run_in_every_process() -> None:
    command = f"from tests.simulation.test_random_runs import digest; print(digest({NEW.start}))"
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
