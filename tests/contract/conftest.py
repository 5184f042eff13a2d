"""Every port as a fake and as its real adapters; every test of this folder runs on all of them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.contract.coordinators import (
    CoordinatorUnderTest,
    FakeCoordinatorUnderTest,
    RedisCoordinatorUnderTest,
)
from tests.contract.messaging import (
    DeadLetterQueueUnderTest,
    EventBridgePublisherUnderTest,
    FakeDeadLetterQueueUnderTest,
    FakePublisherUnderTest,
    PublisherUnderTest,
    SqsDeadLetterQueueUnderTest,
)
from tests.contract.repositories import (
    FakeRepositoryUnderTest,
    PostgresRepositoryUnderTest,
    RepositoryUnderTest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from els_core.application.ports.repository import Repository

RETENTION = timedelta(days=90)


@pytest.fixture(params=["fake", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[RepositoryUnderTest]:
    if request.param == "fake":
        yield FakeRepositoryUnderTest()
        return
    with closing(PostgresRepositoryUnderTest(request.getfixturevalue("database_url"))) as real:
        yield real


@pytest.fixture
def repository(store: RepositoryUnderTest) -> Repository:
    return store.repository()


@pytest.fixture(params=["fake", "valkey", "cluster"])
def coordinator(request: pytest.FixtureRequest) -> Iterator[CoordinatorUnderTest]:
    if request.param == "fake":
        yield FakeCoordinatorUnderTest(RETENTION)
        return
    is_cluster = request.param == "cluster"
    server = request.getfixturevalue("valkey_cluster" if is_cluster else "valkey_alone")
    with closing(RedisCoordinatorUnderTest(server.url, RETENTION, cluster=is_cluster)) as real:
        yield real


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # An unavailable bus is called once: retries belong to the SDK, not to the adapter.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with mock_aws():
        yield


@pytest.fixture(params=["fake", "eventbridge"])
def publisher(request: pytest.FixtureRequest) -> PublisherUnderTest:
    if request.param == "fake":
        return FakePublisherUnderTest()
    request.getfixturevalue("aws")
    return EventBridgePublisherUnderTest()


@pytest.fixture(params=["fake", "sqs"])
def dead_letter_queue(request: pytest.FixtureRequest) -> DeadLetterQueueUnderTest:
    if request.param == "fake":
        return FakeDeadLetterQueueUnderTest()
    request.getfixturevalue("aws")
    return SqsDeadLetterQueueUnderTest()


@pytest.fixture
def deadline(coordinator: CoordinatorUnderTest) -> datetime:
    return coordinator.now() + timedelta(hours=1)
