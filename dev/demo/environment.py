"""The servers of a demo: those that are there already are used, the others are started."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from dev.demo.cleanup import FAULTS
from dev.deploy import sam
from dev.deploy.bundle import BUNDLED
from dev.deploy.migration import migrate
from dev.deploy.stack import Stack, client_of
from dev.programs.process import run_to_end
from dev.programs.tools import REGION, ROOT
from dev.servers.local_aws import LocalAws
from dev.servers.postgres import PostgresServer
from dev.servers.valkey import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

type Wait = Callable[[str], AbstractContextManager[None]]

# Both are warmed at the same moment; the two of the schedule meanwhile, without anybody waiting for them.
WAITED_FOR = {"RegisterBatchFunction", "ProvisionContentFunction"}
NOTHING = b'{"Records": []}'
MEANWHILE = {"ExpireBatchesFunction", "PublishOutboxFunction"}


@dataclass(frozen=True)
class World:
    """Where everything is; `given_*` tells that it was there before and must be left as it was."""

    name: str
    endpoint: str
    database_url: str
    redis_url: str
    cluster: bool
    given_aws: bool
    given_database: bool
    given_redis: bool
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_given(self) -> bool:
        """Tell whether any server was there before."""
        return self.given_aws or self.given_database or self.given_redis

    @property
    def stack(self) -> Stack:
        """Return what was deployed."""
        return Stack(self.endpoint, self.outputs)

    @property
    def bucket(self) -> str:
        """Return the bucket of the files."""
        return f"{self.name}-files"

    @property
    def inbound(self) -> str:
        """Return the bus on which upstream announces."""
        return f"{self.name}-in"

    @property
    def outbound(self) -> str:
        """Return the bus on which ELS announces."""
        return f"{self.name}-out"


def start_servers(name: str, wait: Wait) -> tuple[World, Callable[[], str]]:
    """Start what is missing, and return what shows the log of the local AWS; the run ends all of it."""
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
    cluster = os.environ.get("ELS_REDIS_CLUSTER", "false") == "true"
    return World(name, endpoint, database_url, redis_url, cluster, *given), log


def deploy(world: World, wait: Wait, server_log: Callable[[], str], *, in_bundles: bool) -> World:
    """Build and deploy the template, and make the bucket of the files."""
    with wait("sam build: functions and layers from template.yaml, unless they are built from it already"):
        _build("bundle" if in_bundles else "build")
    parameters = {
        # Functions in containers see the stores under other names than we do.
        "DatabaseUrl": os.environ.get("FUNCTIONS_DATABASE_URL", world.database_url),
        "RedisUrl": os.environ.get("FUNCTIONS_REDIS_URL", world.redis_url),
        "RedisCluster": str(world.cluster).lower(),
        "OutboundBusName": world.outbound,  # the stack makes the inbound bus itself
        "Stage": "local",
    }
    with wait("sam deploy: queues, rules, functions; its custom resource runs the migrations"):
        client_of(world.endpoint, "events").create_event_bus(Name=world.outbound)
        template = (BUNDLED if in_bundles else sam.BUILT) / "template.yaml"
        stack = sam.deploy(
            world.endpoint, parameters, name=world.name, template=template, server_log=server_log
        )
    if world.given_aws:
        migrate(stack)
    region = {"LocationConstraint": REGION}
    stack.client("s3").create_bucket(Bucket=world.bucket, CreateBucketConfiguration=region)
    deployed = replace(world, outputs=dict(stack.outputs))
    with wait("the functions start cold: each unpacks its layer and imports it, once"):
        _warm(deployed)
    return deployed


def _build(how: str) -> None:
    """Build in a process of its own, so that an interruption ends it whatever it waits for."""
    run_to_end([sys.executable, "-m", "dev", how], sam.BUILD_SECONDS, cwd=ROOT, environment=os.environ)


def _warm(world: World) -> None:
    """Invoke with nothing to do the functions that will be needed."""
    cloudformation = world.stack.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName=world.name)["StackResources"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    functions: Any = world.stack.client("lambda")
    for function in MEANWHILE:
        functions.invoke(FunctionName=names[function], Payload=NOTHING, InvocationType="Event")
    # An interruption does not wait for a thread that is a daemon.
    threads = [Thread(target=_invoke, args=(functions, names[each]), daemon=True) for each in WAITED_FOR]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _invoke(functions: Any, name: str) -> None:
    """Invoke with nothing to do and wait; what goes wrong will show when there is something to do."""
    with suppress(*FAULTS):
        functions.invoke(FunctionName=name, Payload=NOTHING)
