"""Every function handles its example event on real stores, and isolates poison messages and faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dev.limits.case_run import delivered_again
from dev.limits.events import registrations_event
from els.main import main
from els_core import bootstrap
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.schema_upgrade import upgrade
from els_core.application.batch_status import BatchStatus
from tests.integration.lambda_functions import Context, call, example_event
from tests.telemetry_output import captured_log

if TYPE_CHECKING:
    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue


def test_the_example_events_of_the_repository_make_a_batch_ready(dead_letter_queue: DeadLetterQueue) -> None:
    assert call("register_batch", example_event("register_batch")) == {"batchItemFailures": []}
    assert call("provision_content", example_event("provision_content")) == {"batchItemFailures": []}
    status = call("batch_status", example_event("batch_status"))
    body = json.loads(status["body"])
    assert (status["statusCode"], body["status"]) == (200, "ready")
    assert body["sentence"].startswith("ready: 1 of 2 assigned; 1 file failed; announced at ")
    call("expire_batches", example_event("expire_batches"))
    call("publish_outbox", example_event("publish_outbox"))
    assert dead_letter_queue.messages() == []


def test_the_audit_counts_findings_by_kind_in_lambda_and_prints_them_on_the_command_line(
    dead_letter_queue: DeadLetterQueue,
    postgres: PostgresServer,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    call("register_batch", example_event("register_batch"))
    assert set(call("audit_batches", example_event("audit_batches")).values()) == {0}
    assert main(["audit"]) == 0
    name = database_url.rpartition("/")[2]
    postgres.execute("UPDATE batches SET deadline = deadline - interval '1 day'", database=name)
    assert call("audit_batches", example_event("audit_batches"))["overdue_open"] == 1
    capsys.readouterr()
    assert main(["audit"]) == 1
    assert "found     overdue_open            batch-1  open past its deadline" in capsys.readouterr().out
    assert main(["rebuild"]) == 0
    assert dead_letter_queue.messages() == []


def test_the_command_line_reports_a_missing_setting_or_an_unavailable_store_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ELS_DATABASE_URL", "ELS_REDIS_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    bootstrap.container.cache_clear()
    assert main(["audit"]) == 2
    assert capsys.readouterr().err.startswith("els: ELS_DATABASE_URL is missing: expected postgresql+pg8000")
    monkeypatch.setenv("ELS_DATABASE_URL", "postgresql+pg8000://els@127.0.0.1:1/els")
    monkeypatch.setenv("ELS_REDIS_URL", "redis://127.0.0.1:1")
    assert main(["audit"]) == 5
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("els: Postgres")
    bootstrap.container.cache_clear()


@pytest.mark.parametrize("days", ["0", "36501", "a week"])
def test_the_command_line_says_which_numbers_of_days_an_audit_takes(
    days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--days", days]) == 2
    assert "--days" in capsys.readouterr().err


def test_an_unknown_batch_is_answered_with_404_in_json(dead_letter_queue: DeadLetterQueue) -> None:
    assert dead_letter_queue.messages() == []
    answer = call("batch_status", example_event("batch_status"))
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "UNKNOWN_BATCH"


@pytest.mark.fault(39)
@pytest.mark.parametrize("odd", ["Anna 850101", "a\x00", "%00", "\ud800", "\u00e5", "a" * 129])
def test_an_id_that_no_batch_can_have_is_answered_without_asking_or_repeating_it(
    dead_letter_queue: DeadLetterQueue, odd: str
) -> None:
    assert dead_letter_queue.messages() == []
    event = example_event("batch_status")
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/batches/{odd}"
    with captured_log() as log:
        answer = call("batch_status", event)
    assert answer["statusCode"] == 404
    assert odd not in answer["body"]
    assert "batch status read" not in log.getvalue()


BAD_VALUES = {
    "NUL in a file name": ("original_file_name", "a\x00b", "INVALID_FIELD"),
    "a field of 300 kB": ("original_file_name", "a" * 300_000, "INVALID_FIELD"),
    "a wrong type": ("file_size_bytes", "many", "INVALID_FIELD"),
    "an id with a space": ("text_storage_id", "a b", "INVALID_FIELD"),
    "an integer beyond 64 bits": ("file_size_bytes", 2**63, "INVALID_FIELD"),
}
BAD_BODIES = ("broken JSON", "a wrong detail-type", "a missing field", "a lone surrogate")


@pytest.mark.fault(15)
@pytest.mark.parametrize("what", [*BAD_VALUES, *BAD_BODIES])
def test_one_poison_message_among_100_goes_to_the_dead_letter_queue_alone(
    dead_letter_queue: DeadLetterQueue, what: str
) -> None:
    [record, _] = example_event("provision_content")["Records"]
    records = [
        record | {"messageId": f"m{n}", "body": record["body"].replace("text-1", f"text-{n}")}
        for n in range(100)
    ]
    records[50]["body"], field, code = make_poison(records[50]["body"], what)
    assert call("provision_content", {"Records": records}) == {"batchItemFailures": []}
    [dead] = dead_letter_queue.messages()
    attributes = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
    assert (attributes["error_code"], attributes["field"]) == (code, field)
    assert attributes["reason"]
    assert parked_count() == 99


def make_poison(body: str, what: str) -> tuple[str, str, str]:
    event = json.loads(body)
    if what in BAD_VALUES:
        name, value, code = BAD_VALUES[what]
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


def parked_count() -> int:
    return bootstrap.container().repository.transact(
        lambda transaction: len(transaction.parked(["batch-1"], 100))
    )


@pytest.mark.fault(12)
@pytest.mark.fault(6)
def test_a_registration_with_a_wrong_number_of_slots_is_a_dead_letter_that_names_the_field(
    dead_letter_queue: DeadLetterQueue,
) -> None:
    [record] = example_event("register_batch")["Records"]
    for essay_ids in ([], ["same", "same"], [f"e{n}" for n in range(2_001)]):
        event = json.loads(record["body"])
        event["detail"]["data"] |= {"essay_ids": essay_ids, "expected_essay_count": len(essay_ids)}
        call("register_batch", {"Records": [record | {"body": json.dumps(event)}]})
        [dead] = dead_letter_queue.messages()
        assert dead["MessageAttributes"]["field"]["StringValue"].startswith("detail.data")
    assert bootstrap.container().repository.snapshots(["batch-1"]) == []


@pytest.mark.fault(21)
def test_every_message_is_retried_while_postgres_is_down_and_succeeds_afterwards(
    dead_letter_queue: DeadLetterQueue, postgres: PostgresServer
) -> None:
    call("register_batch", example_event("register_batch"))
    event = example_event("provision_content")
    everything = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
    postgres.stop()
    try:
        assert call("provision_content", event) == {"batchItemFailures": everything}
    finally:
        postgres.start()
    assert call("provision_content", event) == {"batchItemFailures": []}
    [found] = bootstrap.container().repository.snapshots(["batch-1"])
    assert (found.batch.status, dead_letter_queue.messages()) == ("ready", [])


def test_migrating_twice_or_a_newer_database_is_a_success(
    database_url: str, postgres: PostgresServer
) -> None:
    engine = connect(database_url)
    assert upgrade(engine) == "0006"
    name = str(engine.url.database)
    postgres.execute("UPDATE alembic_version SET version_num = 'newer'", database=name)
    assert upgrade(engine) == "newer"
    engine.dispose()


@pytest.mark.fault(32)
def test_the_status_is_read_page_by_page_and_a_wrong_page_token_is_refused_in_words(
    dead_letter_queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchStatus.__init__, "__defaults__", (1,))
    call("register_batch", example_event("register_batch"))
    event = example_event("batch_status")
    found: list[str] = []
    tokens: list[str | None] = []
    while len(found) < 3 and (not tokens or tokens[-1]):
        body = json.loads(call("batch_status", event)["body"])
        found += body["missing_essay_ids"]
        tokens.append(body["next_page_token"])
        event["queryStringParameters"] = {"page_token": tokens[-1]}
    assert (found, len(tokens)) == (["essay-1", "essay-2"], 2)
    event["queryStringParameters"] = {"page_token": "W1tdLCAiYSJd"}
    refused = call("batch_status", event)
    assert refused["statusCode"] == 400
    assert json.loads(refused["body"])["detail"].startswith("the page token is not valid: take it from")
    assert dead_letter_queue.messages() == []


@pytest.mark.fault(33)
def test_a_function_whose_time_runs_short_leaves_the_rest_to_the_next_delivery(
    dead_letter_queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 9_999)
    event = registrations_event(range(5), 2_000)
    answer = call("register_batch", event)
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["4"]
    assert call("register_batch", delivered_again(event, answer)) == {"batchItemFailures": []}
    assert dead_letter_queue.messages() == []
