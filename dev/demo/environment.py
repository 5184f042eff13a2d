"""The servers of a demo: those that the environment variables name are used, the others are started."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.cluster import RedisCluster

from dev.demo.client_errors import CLIENT_ERRORS
from dev.deploy import host_build, sam
from dev.deploy.bundle import BUNDLED
from dev.deploy.migration import migrate
from dev.deploy.stack import Stack, client_of
from dev.observability import tracing_layer
from dev.programs.process import run_to_end
from dev.programs.tools import REGION, ROOT
from dev.servers.local_aws import LocalAws
from dev.servers.postgres import PostgresServer
from dev.servers.valkey import ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

type Say = Callable[[str], None]

# The demo waits for the cold starts of the first two at once; those of the schedule start meanwhile.
WAITED_FOR = {"RegisterBatchFunction", "ProvisionContentFunction"}
MEANWHILE = {"ExpireBatchesFunction", "PublishOutboxFunction"}
NO_RECORDS = b'{"Records": []}'


@dataclass(frozen=True)
class Environment:
    """Where every server is; `given_*` tells that the demo did not start it and must clean it."""

    name: str
    endpoint: str
    database_url: str
    redis_url: str
    cluster: bool
    given_aws: bool
    given_database: bool
    given_redis: bool
    spans: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_given(self) -> bool:
        """Tell whether any server was given."""
        return self.given_aws or self.given_database or self.given_redis

    @property
    def stack(self) -> Stack:
        """Return the deployed stack."""
        return Stack(self.endpoint, self.outputs)

    def connect_redis(self) -> Any:
        """Return a client of Redis that decodes replies as text."""
        client = RedisCluster if self.cluster else Redis
        return client.from_url(self.redis_url, decode_responses=True)

    @property
    def bucket(self) -> str:
        """Return the bucket of the files."""
        return f"{self.name}-files"

    @property
    def inbound(self) -> str:
        """Return the bus on which upstream publishes."""
        return f"{self.name}-in"

    @property
    def outbound(self) -> str:
        """Return the bus on which ELS publishes."""
        return f"{self.name}-out"


def start_servers(name: str, spans: Path | None, say: Say) -> tuple[Environment, Callable[[], str]]:
    """Start the servers that are not given; return also a function that reads the log of the local AWS.

    The functions of an AWS that is started here write their spans to a file, if one is named.

    Nothing here stops them: the process tree of the demo does, also after a kill or an interruption.
    """
    database_url, redis_url, endpoint = (
        os.environ.get(variable, "") for variable in ("ELS_DATABASE_URL", "ELS_REDIS_URL", "AWS_ENDPOINT_URL")
    )
    given = (bool(endpoint), bool(database_url), bool(redis_url))
    log: Callable[[], str] = str
    if not database_url:
        say("start Postgres")
        database_url = PostgresServer().open().url
    if not redis_url:
        say("start Valkey")
        redis_url = ValkeyServer().open().url
    if not endpoint:
        say("start the local AWS (the first time downloads it)")
        aws = LocalAws(tracing_layer.variables(spans) if spans else None).open()
        endpoint, log = aws.endpoint, aws.log_tail
    cluster = os.environ.get("ELS_REDIS_CLUSTER", "false") == "true"
    traced = str(spans) if spans and not given[0] else ""
    return Environment(name, endpoint, database_url, redis_url, cluster, *given, traced), log


def deploy(
    environment: Environment, say: Say, server_log: Callable[[], str], *, in_bundles: bool
) -> Environment:
    """Build and deploy the template, and create the bucket of the files."""
    action, built = _build_for(environment, in_bundles=in_bundles)
    say("sam build: functions and layers (skipped while sources are unchanged)")
    _build(action)
    parameters = {
        # Functions in containers reach the stores by other host names.
        "DatabaseUrl": os.environ.get("FUNCTIONS_DATABASE_URL", environment.database_url),
        "RedisUrl": os.environ.get("FUNCTIONS_REDIS_URL", environment.redis_url),
        "RedisCluster": str(environment.cluster).lower(),
        "OutboundBusName": environment.outbound,  # the stack makes the inbound bus itself
        "Stage": "local",
    }
    say("sam deploy: queues, rules, functions; the migrations run in it")
    client_of(environment.endpoint, "events").create_event_bus(Name=environment.outbound)
    if environment.spans:
        layer = tracing_layer.publish(environment.stack.client("lambda"), f"{environment.name}-spans")
        parameters["TracingLayerArn"] = layer
    template = built / "template.yaml"
    stack = sam.deploy(
        environment.endpoint, parameters, name=environment.name, template=template, server_log=server_log
    )
    if environment.given_aws:
        migrate(stack)
    region = {"LocationConstraint": REGION}
    stack.client("s3").create_bucket(Bucket=environment.bucket, CreateBucketConfiguration=region)
    deployed = replace(environment, outputs=dict(stack.outputs))
    say("invoke the functions once, so that their cold starts are over")
    _warm(deployed)
    return deployed


def _build_for(environment: Environment, *, in_bundles: bool) -> tuple[str, Path]:
    """Return the action of `python -m dev` that builds for the local AWS, and the folder of the build.

    One that was given may run functions in Linux containers; the one that the demo starts never does.
    """
    if in_bundles:
        return "bundle", BUNDLED
    return ("build", sam.BUILT) if environment.given_aws else ("host-build", host_build.BUILT)


def _build(action: str) -> None:
    """Build in a child process, so that an interruption ends it whatever it waits for."""
    run_to_end([sys.executable, "-m", "dev", action], sam.BUILD_SECONDS, cwd=ROOT, environment=os.environ)


def _warm(environment: Environment) -> None:
    """Invoke the functions that the demo needs, with nothing to do."""
    cloudformation = environment.stack.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName=environment.name)["StackResources"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    functions: Any = environment.stack.client("lambda")
    for function in MEANWHILE:
        functions.invoke(FunctionName=names[function], Payload=NO_RECORDS, InvocationType="Event")
    # Daemon threads, so that an interruption does not wait for them.
    threads = [Thread(target=_invoke, args=(functions, names[each]), daemon=True) for each in WAITED_FOR]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _invoke(functions: Any, name: str) -> None:
    """Invoke with nothing to do and wait; a failure will show once there is something to do."""
    with suppress(*CLIENT_ERRORS):
        functions.invoke(FunctionName=name, Payload=NO_RECORDS)
