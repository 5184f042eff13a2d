"""Every client gives up within the timeout of a function, so that an invocation can return its messages."""

from __future__ import annotations

import pytest

from dev.deploy.template import Template
from els_core.adapters.postgres.connection import SOCKET_TIMEOUT_SECONDS
from els_core.adapters.redis.connection import ANSWER_SECONDS, CONNECT_SECONDS
from els_core.connections import AWS

BUS_SECONDS = (1 + 3) * 2  # connect and read, twice


@pytest.mark.fault(21)
def test_all_client_timeouts_together_fit_into_the_function_timeout() -> None:
    redis = CONNECT_SECONDS + ANSWER_SECONDS
    propose, refresh = redis, redis
    limit = Template.read().timeout_seconds("ProvisionContentFunction")
    assert propose + SOCKET_TIMEOUT_SECONDS + refresh + BUS_SECONDS < limit


def test_the_aws_client_has_the_timeouts_that_this_file_assumes() -> None:
    options = {name: getattr(AWS, name) for name in ("connect_timeout", "read_timeout", "retries")}
    retries = {"mode": "standard", "total_max_attempts": 2}
    assert options == {"connect_timeout": 1, "read_timeout": 3, "retries": retries}
