"""Every event of the repository on the real Lambda runtime, with the variables of `sam local`.

Containers find servers by their names; here the names are replaced by the addresses of local servers.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from dev.deploy import sam
from dev.deploy.introspection import ask_sam
from dev.deploy.stack import client_of
from dev.programs.tools import ROOT
from dev.servers.lambda_runtime import LambdaRuntime
from dev.servers.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

HOOK = (ROOT / "dev" / "localstack_ready.sh").read_text("utf-8")
GIVEN = r"ELS_\w+|AWS_ENDPOINT_URL|AWS_REGION|AWS_DEFAULT_REGION|AWS_LAMBDA_LOG_\w+|POWERTOOLS_\w+"

type Invoke = Callable[[str], Any]


def make_what_the_hook_makes(endpoint: str) -> None:
    sqs, events = client_of(endpoint, "sqs"), client_of(endpoint, "events")
    [queues] = re.findall(r"for queue in ([^;]+);", HOOK)
    for queue in queues.split():
        sqs.create_queue(QueueName=queue)
    [bus] = re.findall(r"create-event-bus --name (\S+)", HOOK)
    [pattern] = re.findall(r"--event-pattern '([^']+)'", HOOK)
    arn = re.sub(r"\$\w+", "eu-north-1", re.findall(r"Arn=([^\"]+)", HOOK)[0])
    events.create_event_bus(Name=bus)
    events.put_rule(Name="els-heard", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule="els-heard", EventBusName=bus, Targets=[{"Id": "heard", "Arn": arn}])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with LocalAws() as aws:
        make_what_the_hook_makes(aws.endpoint)
        yield aws.endpoint


@pytest.fixture(scope="module")
def invoke(postgres: PostgresServer, valkey_alone: ValkeyServer, endpoint: str) -> Iterator[Invoke]:
    places = {
        "http://localstack:4566": endpoint,
        "redis://valkey:6379": valkey_alone.url,
        "postgresql+pg8000://els@postgres:5432/els": postgres.create_database("invoked"),
    }
    variables = ask_sam(
        environment_file=json.loads((ROOT / "dev" / "sam_local.json").read_text("utf-8"))
    ).variables
    with sam.built() as built:
        yield lambda name: run(built, name, variables, places)
    postgres.drop_database("invoked")


def run(built: Path, name: str, variables: Any, places: dict[str, str]) -> Any:
    """Invoke a function on its event, as `make invoke` does; raise `InvocationError` when it raises."""
    function = "".join(part.title() for part in name.split("_")) + "Function"
    settings = {key: value for key, value in variables[function].items() if re.fullmatch(GIVEN, key)}
    for container, here in places.items():
        settings = {key: value.replace(container, here) for key, value in settings.items()}
    with LambdaRuntime(built, function, settings, timeout_seconds=60) as runtime:
        return runtime.invoke(json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8")))


def test_every_event_runs_after_the_migration_and_the_result_is_published(
    invoke: Invoke, endpoint: str
) -> None:
    assert invoke("migrate_database")["revision"]
    assert invoke("register_batch") == {"batchItemFailures": []}
    assert invoke("provision_content") == {"batchItemFailures": []}
    status = json.loads(invoke("batch_status")["body"])
    assert (status["batch_id"], status["status"]) == ("batch-1", "ready")
    for name in ("expire_batches", "publish_outbox", "check_health", "audit_batches"):
        invoke(name)
    sqs = client_of(endpoint, "sqs")
    url = sqs.get_queue_url(QueueName="els-heard")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert "BatchEssaysReady" in {json.loads(message["Body"])["detail-type"] for message in messages}
