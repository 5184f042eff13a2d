"""The use cases on real stores; every test of this folder ends with a check of the rows in Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from els_core import bootstrap
from tests.integration.environment import Environment
from tests.integration.lambda_functions import REGION, DeadLetterQueue
from tests.integration.reconciliation import assert_rows_are_consistent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.valkey import ValkeyServer


@pytest.fixture
def environment(database_url: str, valkey: ValkeyServer) -> Iterator[Environment]:
    environment = Environment(database_url, valkey.url)
    yield environment
    assert_rows_are_consistent(environment.engine)
    environment.close()


@pytest.fixture
def dead_letter_queue(
    database_url: str, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DeadLetterQueue]:
    """Configure the functions for the stores of this test and an AWS in memory."""
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        url, source = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "source"))
        boto3.client("events", region_name=REGION).create_event_bus(Name="outbound")
        for name, value in {
            "AWS_DEFAULT_REGION": REGION,
            "ELS_DATABASE_URL": database_url,
            "ELS_REDIS_URL": valkey.url,
            "ELS_EVENT_BUS": "outbound",
            "ELS_DEAD_LETTER_QUEUE_URL": url,
            "ELS_QUEUE_URLS": f"source={source}",
            "ELS_DEAD_LETTER_QUEUE_URLS": f"source={url}",
        }.items():
            monkeypatch.setenv(name, value)
        bootstrap.container.cache_clear()
        yield DeadLetterQueue(url)
        bootstrap.container().close()
        bootstrap.container.cache_clear()
