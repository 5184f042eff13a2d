"""Every POST of the HTTP API on real stores, and who may do and see what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from els_core import bootstrap
from tests.integration.http_calls import CALLER, command, get, post, reply, request
from tests.integration.lambda_functions import REGION, Context, call, example_event
from tests.telemetry_output import captured_log, lines_of

if TYPE_CHECKING:
    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue

pytestmark = pytest.mark.usefixtures("dead_letter_queue")
ORGANISATION = "custom:org"


@pytest.fixture
def batch() -> str:
    """Register the batch of the examples, with two free slots."""
    call("register_batch", example_event("register_batch"))
    return "batch-1"


def as_member(org_id: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """Let a caller of an organisation send this request."""
    claims = {"sub": "teacher-1"} | ({ORGANISATION: org_id} if org_id else {})
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims}}
    return event


def test_a_command_is_answered_from_its_transaction_and_again_with_the_same_answer(batch: str) -> None:
    first = command(batch, "key-1", command="withdraw_slots", count=1, reason="one pupil is ill")
    assert first.status == 200
    assert (first.body["command_id"], first.body["refusal"]) == ("key-1", None)
    assert first.body["is_repeated"] is False
    assert len(first.body["withdrawn_essay_ids"]) == 1
    again = command(batch, "key-1", command="withdraw_slots", count=1, reason="another reason")
    assert again.body == first.body | {"is_repeated": True}
    [kept] = get(f"/batches/{batch}").body["commands"]
    assert (kept["actor"], kept["door"]) == (CALLER["iam"]["userArn"], "api")
    assert kept["reason"] == "one pupil is ill"


REFUSED: dict[str, tuple[int, dict[str, object]]] = {
    "TOO_LATE": (409, {"command": "close"}),
    "WRONG_EPOCH": (409, {"command": "reopen", "if_epoch": 7, "timeout_seconds": 60}),
    "VERSION_CHANGED": (412, {"command": "reopen", "if_epoch": 1, "timeout_seconds": 60, "if_version": 99}),
    "NOTHING_TO_ANNOUNCE": (422, {"command": "announce", "epoch": 9}),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_is_a_problem_with_the_answer_for_ever(batch: str, code: str) -> None:
    assert command(batch, "end", command="cancel").status == 200
    status, arguments = REFUSED[code]
    for is_repeated in (False, True):
        found = command(batch, "key-1", **arguments)
        assert (found.status, found.code) == (status, code)
        assert (found.body["command"]["refusal"], found.body["command"]["is_repeated"]) == (code, is_repeated)


def test_the_same_key_with_another_command_is_refused_and_the_first_answer_stays(batch: str) -> None:
    first = command(batch, "key-1", command="add_slots", essay_ids=["more"])
    other = command(batch, "key-1", command="cancel")
    assert (other.status, other.code) == (422, "COMMAND_ID_REUSED")
    again = command(batch, "key-1", command="add_slots", essay_ids=["more"])
    assert again.body == first.body | {"is_repeated": True}


def test_an_unknown_batch_is_404_and_the_key_is_not_used_up() -> None:
    assert command("batch-1", "key-1", command="close").code == "UNKNOWN_BATCH"
    assert get("/batches").body["batches"] == []
    call("register_batch", example_event("register_batch"))
    assert command("batch-1", "key-1", command="cancel").status == 200


def test_a_dry_run_answers_as_if_in_earnest_and_changes_nothing(batch: str) -> None:
    before = get(f"/batches/{batch}").headers["etag"]
    tried = command(batch, "key-1", command="cancel", dry_run=True)
    assert (tried.body["status"], tried.body["is_dry_run"]) == ("cancelled", True)
    assert get(f"/batches/{batch}").headers["etag"] == before
    assert command(batch, "key-1", command="cancel").body["is_repeated"] is False


@pytest.mark.parametrize(
    ("key", "body", "field"),
    [
        (None, {"command": "cancel"}, "Idempotency-Key"),
        ("a b", {"command": "cancel"}, "Idempotency-Key"),
        ("k", {"command": "explode"}, "command"),
        ("k", {"command": "change_deadline"}, "deadline"),
        ("k", {"command": "cancel", "dryrun": True}, "body"),
        ("k", "{", "body"),
        ("k", "", "body"),
        ("k", [], "body"),
        ("k", '{"command":"cancel","reason":"\\ud800"}', "body"),
    ],
)
def test_a_malformed_command_names_its_field_and_no_value(
    batch: str, key: str | None, body: object, field: str
) -> None:
    found = post(f"/batches/{batch}/commands", body, key)
    assert (found.status, found.code, found.body["field"]) == (400, "MALFORMED", field)
    assert "explode" not in found.text
    assert "dryrun" not in found.text


def test_a_store_that_is_down_is_503_and_the_same_key_is_safe_afterwards(
    batch: str, postgres: PostgresServer
) -> None:
    postgres.stop()
    try:
        down = command(batch, "key-1", command="cancel")
    finally:
        postgres.start()
    assert (down.status, down.code) == (503, "UNAVAILABLE")
    assert int(down.headers["retry-after"]) > 0
    assert command(batch, "key-1", command="cancel").body["is_repeated"] is False


@pytest.fixture
def membership(dead_letter_queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let callers see the batches of their own organisation only; that of the example belongs to org-1."""
    assert dead_letter_queue.url
    event = example_event("register_batch")
    body = json.loads(event["Records"][0]["body"])
    body["detail"]["data"]["org_id"] = "org-1"
    event["Records"][0]["body"] = json.dumps(body)
    call("register_batch", event)
    monkeypatch.setenv("ELS_ORGANISATION_CLAIM", ORGANISATION)
    bootstrap.container.cache_clear()


@pytest.mark.usefixtures("membership")
def test_what_belongs_to_another_organisation_is_as_if_it_were_not_there() -> None:
    def ask(member_of: str, path: str, **query: str) -> Any:
        return reply(call("batch_status", as_member(member_of, request("GET", path, query))))

    def order(org_id: str, key: str) -> Any:
        event = request("POST", "/batches/batch-1/commands", body={"command": "cancel"})
        event["headers"]["idempotency-key"] = key
        return reply(call("operator_api", as_member(org_id, event)))

    assert order("org-1", "key-1").status == 200
    assert [len(ask(org, "/batches").body["batches"]) for org in ("org-1", "org-2")] == [1, 0]
    assert ask("org-2", "/batches", org_id="org-1").body["batches"] == []
    assert ask("org-2", "/batches", parked="true").body["batches"] == []
    assert [ask(org, "/batches/batch-1").status for org in ("org-1", "org-2")] == [200, 404]
    assert [ask(org, "/batches/batch-1/history").status for org in ("org-1", "org-2")] == [200, 404]
    assert [len(ask(org, "/find/batch-1").body["found"]) for org in ("org-1", "org-2")] == [1, 0]
    assert order("org-2", "key-1").code == "UNKNOWN_BATCH"  # before the answer to a known key


@pytest.mark.usefixtures("membership")
def test_a_caller_without_the_claim_sees_nothing_and_a_member_not_the_whole_system() -> None:
    for path in ("/batches", "/batches/batch-1", "/batches/batch-1/history", "/find/batch-1"):
        assert reply(call("batch_status", as_member(None, request("GET", path)))).code == "NOT_ALLOWED"
    for path in ("/system", "/dead-letters"):
        assert reply(call("batch_status", as_member("org-1", request("GET", path)))).code == "NOT_ALLOWED"
    event = request("POST", "/dead-letters/redrive", body={"queue": "provision_content"})
    assert reply(call("operator_api", as_member("org-1", event))).code == "NOT_ALLOWED"


def test_dead_letters_are_shown_and_put_back(dead_letter_queue: DeadLetterQueue) -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    body = example_event("provision_content")["Records"][0]["body"]
    attributes: Any = {"error_code": {"DataType": "String", "StringValue": "INVALID_FIELD"}}
    sqs.send_message(QueueUrl=dead_letter_queue.url, MessageBody=body, MessageAttributes=attributes)
    sqs.send_message(QueueUrl=dead_letter_queue.url, MessageBody="[1")
    shown = get("/dead-letters").body
    assert shown["queues"] == [{"queue": "source", "count": 2}]
    by_code = {one["error_code"]: one for one in shown["dead_letters"]}
    assert by_code["INVALID_FIELD"]["batch_id"] == "batch-1"
    assert by_code["INVALID_FIELD"]["detail_type"] == "EssayContentProvisioned"
    assert (by_code[None]["batch_id"], by_code[None]["body"]) == (None, None)
    with captured_log() as log:
        full = get("/dead-letters", view="full", queue="source").body["dead_letters"]
    assert {one["body"] for one in full} == {body, "[1"}
    assert [line["actor"] for line in lines_of(log) if line["message"] == "dead letters read"]
    assert post("/dead-letters/redrive", {"queue": "source", "dry_run": True}).body["redriven_count"] == 2
    moved = post("/dead-letters/redrive", {"queue": "source"})
    assert (moved.body["redriven_count"], moved.body["remaining_count"]) == (2, 0)
    assert dead_letter_queue.messages() == []
    queue = bootstrap.container().settings.required_queue_urls["source"]
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert {one["Body"] for one in received} == {body, "[1"}


def test_a_redrive_stops_when_its_time_runs_short(
    dead_letter_queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client("sqs", region_name=REGION).send_message(QueueUrl=dead_letter_queue.url, MessageBody="{}")
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 14_999)
    moved = post("/dead-letters/redrive", {"queue": "source"}).body
    assert (moved["redriven_count"], moved["remaining_count"]) == (0, 1)


def test_an_unknown_queue_is_not_found() -> None:
    assert get("/dead-letters", queue="other").code == "UNKNOWN_QUEUE"
    assert post("/dead-letters/redrive", {"queue": "other"}).code == "UNKNOWN_QUEUE"


def test_the_system_says_what_is_wrong_first(postgres: PostgresServer) -> None:
    ill = get("/system").body
    assert {one["subject"] for one in ill["concerns"]} == {"sweep", "relay"}
    for job in ("expire_batches", "publish_outbox"):
        call(job, example_event(job))
    well = get("/system").body
    assert (well["is_well"], well["concerns"], well["backlog"]["open_batches"]) == (True, [], 0)
    postgres.stop()
    try:
        down = get("/system")
    finally:
        postgres.start()
    assert (down.status, down.body["backlog"]) == (200, None)
    assert down.body["concerns"][0]["subject"] == "Postgres"


def test_a_look_at_file_names_leaves_a_line_without_a_name(batch: str) -> None:
    with captured_log() as log:
        assert get(f"/batches/{batch}", view="full").status == 200
        assert get(f"/batches/{batch}").status == 200
    lines = [line for line in lines_of(log) if line["message"] == "file names read"]
    assert [(line["batch_id"], line["actor"]) for line in lines] == [(batch, CALLER["iam"]["userArn"])]
