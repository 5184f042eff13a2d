"""Takes away from servers that were there before whatever a demo put into them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dev.stack import client_of
from els_core.adapters.postgres.connection import connect as connect_postgres
from els_core.adapters.redis.connection import connect as connect_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.demo.world import World

FAULTS = (BotoCoreError, ClientError, OSError, RedisError, SQLAlchemyError)
# A demo that was cut short has not made everything.
ABSENT = ("NoSuchBucket", "NonExistentQueue", "QueueDoesNotExist", "ResourceNotFound", "does not exist")


def clean(world: World, batch_ids: Sequence[str]) -> list[str]:
    """Clean every given server, whatever happens with the others; return what could not be taken away.

    The local AWS goes first: no function of it writes to the stores any more.
    """
    steps: list[Callable[[], None]] = []
    if world.given_aws:
        steps += [partial(step, world) for step in _AWS]
    if world.given_database:
        steps.append(partial(_delete_rows, world, batch_ids))
    if world.given_redis:
        steps.append(partial(forget, world, batch_ids))
    return [said for said in map(_tried, steps) if said]


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
            s3.delete_object(Bucket=world.bucket, Key=each["Key"])
    s3.delete_bucket(Bucket=world.bucket)


def _delete_stack(world: World) -> None:
    cloudformation = client_of(world.endpoint, "cloudformation")
    cloudformation.delete_stack(StackName=world.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=world.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _delete_bus(world: World) -> None:
    client_of(world.endpoint, "events").delete_event_bus(Name=world.outbound)


_AWS = (_delete_stack, _unlisten, _delete_queue, _delete_bucket, _delete_bus)


def _delete_rows(world: World, batch_ids: Sequence[str]) -> None:
    engine = connect_postgres(world.database_url)
    with engine.begin() as connection:
        for table in ("outbox", "batches"):
            delete = text(f"DELETE FROM {table} WHERE batch_id = ANY(:ids)")  # noqa: S608 - constants
            connection.execute(delete, {"ids": list(batch_ids)})
    engine.dispose()
