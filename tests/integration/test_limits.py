"""The largest of everything fits into the memory and the time of the functions; `make limits` in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.limits.cases import CASES
from dev.limits.invocation import Invocation
from dev.limits.template import FunctionLimits, limits_of
from dev.programs.process import run_to_end
from dev.programs.tools import environment

SECONDS = 500
COLUMNS = 80


@pytest.mark.fault(32)
@pytest.mark.fault(33)
@pytest.mark.fault(34)
@pytest.mark.fault(36)
def test_everything_fits_and_the_table_says_so() -> None:
    table = run_to_end(
        ["python", "-m", "dev.limits", "--quick"], SECONDS, cwd=Path(), environment=environment()
    ).splitlines()
    assert len(table) == 1 + len(CASES)
    assert [line.split()[-1] for line in table[1:]] == ["yes"] * len(CASES)
    assert max(map(len, table)) <= COLUMNS


def test_the_limits_are_those_of_the_template() -> None:
    assert limits_of("expire_batches") == FunctionLimits(memory_mb=512, timeout_seconds=30)
    assert limits_of("migrate_database").timeout_seconds == 300
    assert limits_of("expire_batches").cpu_share == pytest.approx(0.289, abs=0.001)


def test_computing_takes_longer_on_a_share_of_a_cpu_and_waiting_does_not() -> None:
    invocation = Invocation(wall_seconds=3, cpu_seconds=1, peak_mb=100)
    assert invocation.lambda_seconds(0.25) == pytest.approx(2 + 4)
