"""Every port by its fake and by its real adapters; each test of this folder runs on all of them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.contract.buses import (
    BusUnderTest,
    DeadLettersUnderTest,
    FakeBusUnderTest,
    FakeDeadLettersUnderTest,
    RealBusUnderTest,
    RealDeadLettersUnderTest,
)
from tests.contract.coordinators import (
    CoordinatorUnderTest,
    FakeCoordinatorUnderTest,
    RealCoordinatorUnderTest,
)
from tests.contract.postgres_rows import FakeRecordUnderTest, PostgresUnderTest, RealRecordUnderTest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from els_core.application.ports.repository import Repository

RETENTION = timedelta(days=90)


@pytest.fixture(params=["fake", "postgres"])
def record(request: pytest.FixtureRequest) -> Iterator[PostgresUnderTest]:
    if request.param == "fake":
        yield FakeRecordUnderTest()
        return
    with closing(RealRecordUnderTest(request.getfixturevalue("database_url"))) as real:
        yield real


@pytest.fixture
def repository(record: PostgresUnderTest) -> Repository:
    return record.repository()


@pytest.fixture(params=["fake", "valkey", "cluster"])
def coordinator(request: pytest.FixtureRequest) -> Iterator[CoordinatorUnderTest]:
    if request.param == "fake":
        yield FakeCoordinatorUnderTest(RETENTION)
        return
    is_cluster = request.param == "cluster"
    server = request.getfixturevalue("valkey_cluster" if is_cluster else "valkey_alone")
    with closing(RealCoordinatorUnderTest(server.url, RETENTION, cluster=is_cluster)) as real:
        yield real


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A bus that is down is asked once: repetitions belong to the SDK, not to the adapter.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with mock_aws():
        yield


@pytest.fixture(params=["fake", "eventbridge"])
def bus(request: pytest.FixtureRequest) -> BusUnderTest:
    if request.param == "fake":
        return FakeBusUnderTest()
    request.getfixturevalue("aws")
    return RealBusUnderTest()


@pytest.fixture(params=["fake", "sqs"])
def dead_letters(request: pytest.FixtureRequest) -> DeadLettersUnderTest:
    if request.param == "fake":
        return FakeDeadLettersUnderTest()
    request.getfixturevalue("aws")
    return RealDeadLettersUnderTest()


@pytest.fixture
def deadline(coordinator: CoordinatorUnderTest) -> datetime:
    return coordinator.now() + timedelta(hours=1)
