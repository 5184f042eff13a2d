"""The demo removes what it created on servers that it did not start, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from dev.demo.cleanup import clean
from dev.demo.environment import Environment
from dev.deploy.stack import EventConsumer, client_of
from dev.programs.tools import REGION
from dev.servers.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.valkey import ValkeyServer

NOWHERE = "http://127.0.0.1:9"
INSERT = "INSERT INTO batches (batch_id, status) VALUES ('mine', 'awaited'), ('theirs', 'awaited')"


def given_stores(database_url: str, redis_url: str) -> Environment:
    return Environment(
        "demo",
        NOWHERE,
        database_url,
        redis_url,
        cluster=False,
        given_aws=False,
        given_database=True,
        given_redis=True,
    )


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as server:
        yield server


def test_only_the_rows_and_keys_of_the_demo_are_deleted(database_url: str, valkey: ValkeyServer) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(INSERT))
    with valkey.client() as client:
        for batch_id in ("mine", "theirs"):
            client.hset(f"batch:{{{batch_id}}}:metadata", "version", 1)
    assert clean(given_stores(database_url, valkey.url), ["mine"]) == []
    with engine.begin() as connection:
        assert connection.execute(text("SELECT batch_id FROM batches")).scalars().all() == ["theirs"]
    engine.dispose()
    with valkey.client() as client:
        assert client.keys() == ["batch:{theirs}:metadata"]


def test_a_server_that_is_down_is_named_and_the_others_are_cleaned(valkey: ValkeyServer) -> None:
    with valkey.client() as client:
        client.hset("batch:{mine}:metadata", "version", 1)
        [failure] = clean(given_stores("postgresql+pg8000://els@127.0.0.1:9/gone", valkey.url), ["mine"])
        assert failure.startswith("rows in Postgres: ")
        assert client.keys() == []


def test_the_bucket_the_bus_and_its_consumer_are_deleted_from_a_given_aws(aws: LocalAws) -> None:
    environment = Environment(
        "demo", aws.endpoint, "", "", cluster=False, given_aws=True, given_database=False, given_redis=False
    )
    s3, sqs = client_of(aws.endpoint, "s3"), client_of(aws.endpoint, "sqs")
    events = client_of(aws.endpoint, "events")
    region = {"LocationConstraint": REGION}
    for bucket in (environment.bucket, "theirs"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)
        s3.put_object(Bucket=bucket, Key="raw-1", Body=b"an essay")
    for bus in (environment.outbound, "their-bus"):
        events.create_event_bus(Name=bus)
        EventConsumer(aws.endpoint, bus)
    assert clean(environment, []) == []
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["theirs"]
    assert {bus["Name"] for bus in events.list_event_buses()["EventBuses"]} == {"default", "their-bus"}
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["their-bus-consumer"]
