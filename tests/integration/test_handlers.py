"""Each function, called as Lambda calls it, on the event of its name and on real stores."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from els_core import bootstrap
from els_core.adapters.aws.custom_resource import PHYSICAL_ID, answer
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.schema_upgrade import upgrade
from els_core.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

REGION = "eu-north-1"


@dataclass
class Context:
    """What Lambda tells a function of itself."""

    function_name: str = "els"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-north-1:123456789012:function:els"
    aws_request_id: str = "request"
    log_stream_name: str = "stream"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class Queue:
    """The dead-letter queue."""

    url: str

    def messages(self) -> list[dict[str, Any]]:
        client = boto3.client("sqs", region_name=REGION)
        answer = client.receive_message(
            QueueUrl=self.url, MessageAttributeNames=["All"], MaxNumberOfMessages=10
        )
        return [dict(message) for message in answer.get("Messages", [])]


@pytest.fixture
def dead_letters(database_url: str, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    with mock_aws():
        url = boto3.client("sqs", region_name=REGION).create_queue(QueueName="dead")["QueueUrl"]
        boto3.client("events", region_name=REGION).create_event_bus(Name="outbound")
        for name, value in {
            "AWS_DEFAULT_REGION": REGION,
            "ELS_DATABASE_URL": database_url,
            "ELS_REDIS_URL": valkey.url,
            "ELS_EVENT_BUS": "outbound",
            "ELS_DEAD_LETTER_QUEUE_URL": url,
        }.items():
            monkeypatch.setenv(name, value)
        bootstrap.container.cache_clear()
        yield Queue(url)
        bootstrap.container().close()
        bootstrap.container.cache_clear()


def event_of(function: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(Path("events", f"{function}.json").read_text("utf-8"))
    return event


def call(function: str, event: dict[str, Any]) -> Any:
    return importlib.import_module(f"functions.{function}.handler").handle(event, Context())


def test_the_events_of_the_repository_make_a_batch_ready(dead_letters: Queue) -> None:
    assert call("register_batch", event_of("register_batch")) == {"batchItemFailures": []}
    assert call("provision_content", event_of("provision_content")) == {"batchItemFailures": []}
    status = call("batch_status", event_of("batch_status"))
    body = json.loads(status["body"])
    assert (status["statusCode"], body["status"]) == (200, "ready")
    assert body["sentence"] == "ready: 1 of 2 assigned; 1 file failed"
    call("expire_batches", event_of("expire_batches"))
    call("publish_outbox", event_of("publish_outbox"))
    assert dead_letters.messages() == []


def test_the_audit_answers_by_kind_and_from_a_shell(
    dead_letters: Queue, postgres: PostgresServer, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call("register_batch", event_of("register_batch"))
    assert set(call("audit_batches", event_of("audit_batches")).values()) == {0}
    assert main(["audit"]) == 0
    name = database_url.rpartition("/")[2]
    postgres.execute("UPDATE batches SET deadline = deadline - interval '1 day'", database=name)
    assert call("audit_batches", event_of("audit_batches"))["overdue_open"] == 1
    capsys.readouterr()
    assert main(["audit"]) == 1
    assert "found   overdue_open            batch-1  open past its deadline since" in capsys.readouterr().out
    assert main(["audit", "--repair"]) == 0
    assert dead_letters.messages() == []


def test_a_shell_says_what_is_missing_or_down_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ELS_DATABASE_URL", "ELS_REDIS_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    bootstrap.container.cache_clear()
    assert main(["audit"]) == 2
    assert capsys.readouterr().err.startswith("els: ELS_DATABASE_URL is missing: expected postgresql+pg8000")
    monkeypatch.setenv("ELS_DATABASE_URL", "postgresql+pg8000://els@127.0.0.1:1/els")
    monkeypatch.setenv("ELS_REDIS_URL", "redis://127.0.0.1:1")
    assert main(["audit"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("els: Postgres")
    bootstrap.container.cache_clear()


def test_an_unknown_batch_is_404_in_json(dead_letters: Queue) -> None:
    assert dead_letters.messages() == []
    answer = call("batch_status", event_of("batch_status"))
    assert answer["statusCode"] == 404
    assert "no batch batch-1" in json.loads(answer["body"])["message"]


BAD = {
    "NUL in a file name": ("original_file_name", "a\x00b", "INVALID_FIELD"),
    "a field of 300 kB": ("original_file_name", "a" * 300_000, "INVALID_FIELD"),
    "a wrong type": ("file_size_bytes", "many", "INVALID_FIELD"),
    "an id with a space": ("text_storage_id", "a b", "INVALID_FIELD"),
    "an integer beyond 64 bits": ("file_size_bytes", 2**63, "INVALID_FIELD"),
}


WORSE = ("broken JSON", "a wrong detail-type", "a missing field", "a lone surrogate")


@pytest.mark.fault(15)
@pytest.mark.parametrize("what", [*BAD, *WORSE])
def test_one_bad_record_among_100_goes_to_the_dead_letter_queue_alone(dead_letters: Queue, what: str) -> None:
    [record, _] = event_of("provision_content")["Records"]
    records = [
        record | {"messageId": f"m{n}", "body": record["body"].replace("text-1", f"text-{n}")}
        for n in range(100)
    ]
    records[50]["body"], field, code = spoil(records[50]["body"], what)
    assert call("provision_content", {"Records": records}) == {"batchItemFailures": []}
    [dead] = dead_letters.messages()
    attributes = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
    assert (attributes["error_code"], attributes["field"]) == (code, field)
    assert attributes["reason"]
    assert parked_of_batch() == 99


def spoil(body: str, what: str) -> tuple[str, str, str]:
    event = json.loads(body)
    if what in BAD:
        name, value, code = BAD[what]
        event["detail"]["data"][name] = value
        return json.dumps(event), f"detail.data.{name}", code
    if what == "broken JSON":
        return body[:-1], "body", "INVALID_JSON"
    if what == "a wrong detail-type":
        return json.dumps(event | {"detail-type": "Other"}), "detail-type", "WRONG_DETAIL_TYPE"
    if what == "a lone surrogate":
        return body.replace("uppsats", "\\ud800"), "body", "INVALID_JSON"
    del event["detail"]["data"]["text_storage_id"]
    return json.dumps(event), "detail.data.text_storage_id", "MISSING_FIELD"


def parked_of_batch() -> int:
    return bootstrap.container().repository.transact(lambda transaction: len(transaction.parked(["batch-1"])))


@pytest.mark.fault(12)
@pytest.mark.fault(6)
def test_a_batch_of_a_wrong_size_is_rejected_by_field(dead_letters: Queue) -> None:
    [record] = event_of("register_batch")["Records"]
    for essay_ids in ([], ["same", "same"], [f"e{n}" for n in range(2_001)]):
        event = json.loads(record["body"])
        event["detail"]["data"] |= {"essay_ids": essay_ids, "expected_essay_count": len(essay_ids)}
        call("register_batch", {"Records": [record | {"body": json.dumps(event)}]})
        [dead] = dead_letters.messages()
        assert dead["MessageAttributes"]["field"]["StringValue"].startswith("detail.data")
    assert bootstrap.container().repository.find("batch-1") is None


@pytest.mark.fault(21)
def test_all_comes_back_while_postgres_is_down_and_is_done_afterwards(
    dead_letters: Queue, postgres: PostgresServer
) -> None:
    call("register_batch", event_of("register_batch"))
    event = event_of("provision_content")
    everything = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
    postgres.stop()
    try:
        assert call("provision_content", event) == {"batchItemFailures": everything}
    finally:
        postgres.start()
    assert call("provision_content", event) == {"batchItemFailures": []}
    found = bootstrap.container().repository.find("batch-1")
    assert found is not None
    assert (found[0].batch.status, dead_letters.messages()) == ("ready", [])


def test_migrating_again_or_a_database_ahead_is_fine(database_url: str, postgres: PostgresServer) -> None:
    engine = connect(database_url)
    assert upgrade(engine) == "0002"
    name = str(engine.url.database)
    postgres.execute("UPDATE alembic_version SET version_num = 'newer'", database=name)
    assert upgrade(engine) == "newer"
    engine.dispose()


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_cloudformation_is_answered_also_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, request_type: str
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "els_core.adapters.aws.custom_resource.PoolManager.request",
        lambda _self, _method, _url, body, **_: sent.append(json.loads(body)),
    )

    def fail() -> str:
        raise ConnectionError("no database")

    answer(event_of("migrate_database") | {"RequestType": request_type}, "stream", fail)
    status = "SUCCESS" if request_type == "Delete" else "FAILED"
    assert [(one["Status"], one["PhysicalResourceId"]) for one in sent] == [(status, PHYSICAL_ID)]
