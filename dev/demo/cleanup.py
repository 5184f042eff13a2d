"""Takes away from servers that were there before whatever a demo put into them."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dev.deploy.stack import client_of
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.redis.connection import connect as connect_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.demo.environment import World

FAULTS = (BotoCoreError, ClientError, OSError, RedisError, SQLAlchemyError)
WORKED_ON = "ApproximateNumberOfMessagesNotVisible"
REST_SECONDS = 35  # a little longer than a function may run
# A demo that was cut short has not made everything.
ABSENT = ("NoSuchBucket", "NonExistentQueue", "QueueDoesNotExist", "ResourceNotFound", "does not exist")


def clean(world: World, batch_ids: Sequence[str]) -> list[str]:
    """Clean every given server, whatever happens with the others; return what could not be taken away.

    The local AWS goes first: no function of it writes to the stores any more.
    """
    steps: dict[str, Callable[[], None]] = {}
    if world.given_aws:
        steps |= {what: partial(step, world) for what, step in _AWS.items()}
    if world.given_database:
        steps["rows in Postgres"] = partial(_delete_rows, world, batch_ids)
    if world.given_redis:
        steps["keys in Redis"] = partial(forget, world, batch_ids)
    return [f"{what}: {said}" for what, step in steps.items() if (said := _tried(step))]


def forget(world: World, batch_ids: Sequence[str]) -> None:
    """Delete the keys of these batches from Redis."""
    redis: Any = connect_redis(world.redis_url, cluster=world.cluster)
    for batch_id in batch_ids:
        for key in redis.scan_iter(match=f"batch:{{{batch_id}}}:*"):
            redis.delete(key)
    redis.close()


def _tried(step: Callable[[], None]) -> str | None:
    try:
        step()
    except FAULTS as error:
        return None if any(word in str(error) for word in ABSENT) else str(error).splitlines()[0]
    return None


def _come_to_rest(world: World) -> None:
    """Start no function any more, and wait for those that run: they would write after the cleaning."""
    resources = client_of(world.endpoint, "cloudformation").describe_stack_resources(StackName=world.name)
    made = [(each["ResourceType"], each["PhysicalResourceId"]) for each in resources["StackResources"]]
    functions, sqs = client_of(world.endpoint, "lambda"), client_of(world.endpoint, "sqs")
    for mapping in (name for kind, name in made if kind == "AWS::Lambda::EventSourceMapping"):
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    for queue in (name for kind, name in made if kind == "AWS::SQS::Queue"):
        for _ in range(REST_SECONDS * 2):
            known = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[WORKED_ON])["Attributes"]
            if int(known[WORKED_ON]) == 0:
                break
            Event().wait(0.5)


def _unlisten(world: World) -> None:
    events, name = client_of(world.endpoint, "events"), f"{world.outbound}-heard"
    events.remove_targets(Rule=name, EventBusName=world.outbound, Ids=["queue"])
    events.delete_rule(Name=name, EventBusName=world.outbound)


def _delete_queue(world: World) -> None:
    sqs = client_of(world.endpoint, "sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=f"{world.outbound}-heard")["QueueUrl"])


def _delete_bucket(world: World) -> None:
    s3 = client_of(world.endpoint, "s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=world.bucket):
        for each in page.get("Contents", []):
            s3.delete_object(Bucket=world.bucket, ArrivalKey=each["Key"])
    s3.delete_bucket(Bucket=world.bucket)


def _delete_stack(world: World) -> None:
    cloudformation = client_of(world.endpoint, "cloudformation")
    cloudformation.delete_stack(StackName=world.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=world.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _delete_bus(world: World) -> None:
    client_of(world.endpoint, "events").delete_event_bus(Name=world.outbound)


_AWS = {
    "running functions": _come_to_rest,
    "the stack": _delete_stack,
    "the rule of the audience": _unlisten,
    "the queue of the audience": _delete_queue,
    "the bucket of the files": _delete_bucket,
    "the outbound bus": _delete_bus,
}


def _delete_rows(world: World, batch_ids: Sequence[str]) -> None:
    engine = connect_postgres(world.database_url)
    with engine.begin() as connection:
        for table in ("outbox", "batches"):
            delete = text(f"DELETE FROM {table} WHERE batch_id = ANY(:ids)")  # noqa: S608 - constants
            connection.execute(delete, {"ids": list(batch_ids)})
    engine.dispose()
