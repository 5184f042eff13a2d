"""The servers of a demo: those that are there already are used, the others are started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from dev import sam
from dev.aws import LocalAws
from dev.postgres import PostgresServer
from dev.stack import Listener, Stack, client_of
from dev.valkey import ValkeyServer
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.redis.connection import connect as connect_redis

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from dev.demo.plan import Plan

type Wait = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class World:
    """Where everything is; `given_*` tells that it was there before and must be left as it was."""

    name: str
    stack: Stack
    database_url: str
    redis_url: str
    cluster: bool
    given_aws: bool
    given_database: bool
    given_redis: bool

    @property
    def bucket(self) -> str:
        """Return the bucket of the files."""
        return f"{self.name}-files"

    @property
    def outbound(self) -> str:
        """Return the bus on which ELS announces."""
        return self.stack.outputs["OutboundBus"]


def make_world(name: str, wait: Wait) -> World:
    """Start what is missing and deploy the template; the run ends what was started here."""
    database_url, redis_url, endpoint = (
        os.environ.get(variable, "") for variable in ("ELS_DATABASE_URL", "ELS_REDIS_URL", "AWS_ENDPOINT_URL")
    )
    given = (bool(endpoint), bool(database_url), bool(redis_url))
    log: Callable[[], str] = str
    if not database_url:
        with wait("Postgres makes its data folder and starts"):
            database_url = PostgresServer().__enter__().url
    if not redis_url:
        with wait("Valkey starts"):
            redis_url = ValkeyServer().__enter__().url
    if not endpoint:
        with wait("the local AWS starts (its first time also fetches it)"):
            aws = LocalAws().__enter__()
        endpoint, log = aws.endpoint, aws.log_tail
    with wait("sam build: functions and layers from template.yaml"):
        sam.build()
    cluster = os.environ.get("ELS_REDIS_CLUSTER", "false")
    parameters = {
        "DatabaseUrl": database_url,
        "RedisUrl": redis_url,
        "RedisCluster": cluster,
        "InboundBusName": f"{name}-in",
        "CreateInboundBus": "true",
        "OutboundBusName": f"{name}-out",
        "VisibilityTimeoutSeconds": "10",
    }
    with wait("sam deploy: queues, rules, functions; its custom resource runs the migrations"):
        client_of(endpoint, "events").create_event_bus(Name=parameters["OutboundBusName"])
        stack = sam.deploy(endpoint, parameters, name=name, server_log=log)
    world = World(name, stack, database_url, redis_url, cluster == "true", *given)
    region = {"LocationConstraint": "eu-north-1"}
    stack.client("s3").create_bucket(Bucket=world.bucket, CreateBucketConfiguration=region)
    return world


def clean(world: World, plan: Plan, listener: Listener) -> None:
    """Take away from servers that were there before whatever the demo put into them."""
    if world.given_aws:
        _clean_aws(world, listener)
    ids = [batch.batch_id for batch in plan.batches]
    if world.given_database:
        engine = connect_postgres(world.database_url)
        with engine.begin() as connection:
            for table in ("outbox", "batches"):
                delete = text(f"DELETE FROM {table} WHERE batch_id = ANY(:ids)")  # noqa: S608 - constants
                connection.execute(delete, {"ids": ids})
        engine.dispose()
    if world.given_redis:
        redis: Any = connect_redis(world.redis_url, cluster=world.cluster)
        for batch_id in ids:
            for key in redis.scan_iter(match=f"batch:{{{batch_id}}}:*"):
                redis.delete(key)
        redis.close()


def _clean_aws(world: World, listener: Listener) -> None:
    listener.close()
    s3 = world.stack.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=world.bucket):
        for each in page.get("Contents", []):
            s3.delete_object(Bucket=world.bucket, Key=each["Key"])
    s3.delete_bucket(Bucket=world.bucket)
    cloudformation = world.stack.client("cloudformation")
    cloudformation.delete_stack(StackName=world.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=world.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    world.stack.client("events").delete_event_bus(Name=world.outbound)
