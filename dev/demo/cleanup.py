"""Removes what a demo created on servers that it did not start."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from sqlalchemy import text

from dev.demo.client_errors import CLIENT_ERRORS
from dev.deploy.stack import client_of, consumer_name
from els_core.adapters.postgres.connection import connect as connect_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.demo.environment import Environment

IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
IDLE_SECONDS = 35  # a little longer than a function may run
# A demo that was interrupted has not created everything.
ABSENT = ("NoSuchBucket", "NonExistentQueue", "QueueDoesNotExist", "ResourceNotFound", "does not exist")


def clean(environment: Environment, batch_ids: Sequence[str]) -> list[str]:
    """Clean every given server, even when another one fails; return what could not be removed.

    The local AWS comes first, so that no function writes to the stores any more.
    """
    steps: dict[str, Callable[[], None]] = {}
    if environment.given_aws:
        steps |= {what: partial(step, environment) for what, step in _AWS.items()}
    if environment.given_database:
        steps["rows in Postgres"] = partial(_delete_rows, environment, batch_ids)
    if environment.given_redis:
        steps["keys in Redis"] = partial(delete_keys, environment, batch_ids)
    return [f"{what}: {reason}" for what, step in steps.items() if (reason := _failure_of(step))]


def delete_keys(environment: Environment, batch_ids: Sequence[str]) -> None:
    """Delete the keys of these batches from Redis."""
    redis = environment.connect_redis()
    for batch_id in batch_ids:
        for key in redis.scan_iter(match=f"batch:{{{batch_id}}}:*"):
            redis.delete(key)
    redis.close()


def _failure_of(step: Callable[[], None]) -> str | None:
    try:
        step()
    except CLIENT_ERRORS as error:
        return None if any(word in str(error) for word in ABSENT) else str(error).splitlines()[0]
    return None


def _stop_functions(environment: Environment) -> None:
    """Disable the event sources and wait for running functions, which would write after the cleanup."""
    answer = client_of(environment.endpoint, "cloudformation").describe_stack_resources(
        StackName=environment.name
    )
    created = [(each["ResourceType"], each["PhysicalResourceId"]) for each in answer["StackResources"]]
    functions, sqs = client_of(environment.endpoint, "lambda"), client_of(environment.endpoint, "sqs")
    for mapping in (name for kind, name in created if kind == "AWS::Lambda::EventSourceMapping"):
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    for queue in (name for kind, name in created if kind == "AWS::SQS::Queue"):
        for _ in range(IDLE_SECONDS * 2):
            known = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[IN_FLIGHT])["Attributes"]
            if int(known[IN_FLIGHT]) == 0:
                break
            Event().wait(0.5)


def _delete_rule(environment: Environment) -> None:
    events, bus = client_of(environment.endpoint, "events"), environment.outbound
    events.remove_targets(Rule=consumer_name(bus), EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name=consumer_name(bus), EventBusName=bus)


def _delete_queue(environment: Environment) -> None:
    sqs = client_of(environment.endpoint, "sqs")
    queue = sqs.get_queue_url(QueueName=consumer_name(environment.outbound))["QueueUrl"]
    sqs.delete_queue(QueueUrl=queue)


def _delete_bucket(environment: Environment) -> None:
    s3, bucket = client_of(environment.endpoint, "s3"), environment.bucket
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
    s3.delete_bucket(Bucket=bucket)


def _delete_stack(environment: Environment) -> None:
    cloudformation = client_of(environment.endpoint, "cloudformation")
    cloudformation.delete_stack(StackName=environment.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=environment.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _delete_bus(environment: Environment) -> None:
    client_of(environment.endpoint, "events").delete_event_bus(Name=environment.outbound)


_AWS = {
    "running functions": _stop_functions,
    "the stack": _delete_stack,
    "the rule of the consumer": _delete_rule,
    "the queue of the consumer": _delete_queue,
    "the bucket of the files": _delete_bucket,
    "the outbound bus": _delete_bus,
}


def _delete_rows(environment: Environment, batch_ids: Sequence[str]) -> None:
    engine = connect_postgres(environment.database_url)
    with engine.begin() as connection:
        for table in ("outbox", "batches"):
            delete = text(f"DELETE FROM {table} WHERE batch_id = ANY(:ids)")  # noqa: S608 - constants
            connection.execute(delete, {"ids": list(batch_ids)})
    engine.dispose()
