"""What hangs shows within the time limit of a function, so that an invocation itself gives records back."""

from __future__ import annotations

from pathlib import Path

import pytest

from els_core.adapters.postgres.connection import SOCKET_TIMEOUT_SECONDS
from els_core.adapters.redis.connection import ANSWER_SECONDS, CONNECT_SECONDS
from els_core.bootstrap import AWS

BUS_SECONDS = (1 + 3) * 2  # connect and read, twice


def function_timeout_seconds() -> int:
    globally = Path("template.yaml").read_text("utf-8").partition("Globals:")[2]
    return int(globally.partition("Timeout:")[2].split()[0])


@pytest.mark.fault(21)
def test_all_that_may_hang_in_one_invocation_together_fits_into_its_time() -> None:
    asked = CONNECT_SECONDS + ANSWER_SECONDS
    told = asked
    assert asked + SOCKET_TIMEOUT_SECONDS + told + BUS_SECONDS < function_timeout_seconds()


def test_the_bus_is_waited_for_as_long_as_this_file_reckons() -> None:
    options = {name: getattr(AWS, name) for name in ("connect_timeout", "read_timeout", "retries")}
    retries = {"mode": "standard", "total_max_attempts": 2}
    assert options == {"connect_timeout": 1, "read_timeout": 3, "retries": retries}
