"""Every GET of the HTTP API on real stores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.http_calls import command, get
from tests.integration.lambda_functions import call, example_event

if TYPE_CHECKING:
    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue

pytestmark = pytest.mark.usefixtures("dead_letter_queue")


@pytest.fixture
def batch() -> str:
    """Register the batch of the examples: two slots, of which one content and one failure take one each."""
    call("register_batch", example_event("register_batch"))
    return "batch-1"


def test_the_answer_says_where_the_batch_stands_and_whose_move_it_is(batch: str) -> None:
    found = get(f"/batches/{batch}").body
    assert (found["status"], found["mover"], found["is_stuck"]) == ("open", "upstream", False)
    assert found["sentence"].startswith("upstream must send 2 of 2 until ")
    call("provision_content", example_event("provision_content"))
    found = get(f"/batches/{batch}").body
    assert (found["status"], found["mover"]) == ("ready", "consumer")
    assert found["sentence"].startswith("ready: 1 of 2 assigned; 1 file failed; announced at ")
    assert found["announcement"]["detail_type"] == "BatchEssaysReady"


def test_file_names_are_shown_only_where_they_are_asked_for(batch: str) -> None:
    call("provision_content", example_event("provision_content"))

    def names(view: str) -> set[str | None]:
        body = get(f"/batches/{batch}", view=view).body
        lists = [*body["ready_essays"], *body["validation_failures"]]
        return {one["original_file_name"] for one in lists}

    assert names("basic") == {None}
    assert len(names("full")) == 2
    assert None not in names("full")


def test_an_etag_stays_until_the_batch_changes(batch: str) -> None:
    first = get(f"/batches/{batch}")
    tag = first.headers["etag"]
    again = get(f"/batches/{batch}", {"If-None-Match": f'"other", W/{tag}'})
    assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    assert command(batch, "k1", command="close").code == "EMPTY"
    refused = get(f"/batches/{batch}", {"If-None-Match": tag})
    assert refused.status == 200
    assert refused.headers["etag"] != tag


def test_a_minute_that_passes_changes_no_etag(batch: str) -> None:
    tags = set()
    for _ in range(2):
        tags.add(get(f"/batches/{batch}").headers["etag"])
        call("expire_batches", example_event("expire_batches"))  # notes that it ran, and nothing else
    assert len(tags) == 1


def test_the_list_is_filtered_and_paged_from_the_newest_to_the_oldest(
    postgres: PostgresServer, database_url: str
) -> None:
    name = database_url.rpartition("/")[2]
    postgres.execute(
        "INSERT INTO batches (batch_id, status, version, created_at) SELECT 'b' || n, 'awaited', 0,"
        " '2026-01-01T00:00:00Z'::timestamptz + n / 2 * interval '1 hour' FROM generate_series(1, 7) AS n",
        database=name,
    )
    seen: list[str] = []
    query = {"page_size": "2", "status": "awaited"}
    while True:
        page = get("/batches", None, **query).body
        seen += [one["batch_id"] for one in page["batches"]]
        if page["next_page_token"] is None:
            break
        query["page_token"] = page["next_page_token"]
    assert seen == ["b7", "b6", "b5", "b4", "b3", "b2", "b1"]
    assert get("/batches", status="open").body["batches"] == []
    assert len(get("/batches", created_after="2026-01-01T02:00:00Z").body["batches"]) == 2


def test_a_stuck_batch_is_found_and_said_to_be_stuck(
    batch: str, postgres: PostgresServer, database_url: str
) -> None:
    assert get("/batches", stuck="true").body["batches"] == []
    name = database_url.rpartition("/")[2]
    postgres.execute("UPDATE batches SET deadline = now() - interval '4 minutes'", database=name)
    [found] = get("/batches", stuck="true").body["batches"]
    assert (found["batch_id"], found["is_stuck"]) == (batch, True)
    assert [one["is_stuck"] for one in get("/batches").body["batches"]] == [True]
    answer = get(f"/batches/{batch}").body
    assert (answer["mover"], answer["is_stuck"]) == ("els", True)
    assert get("/batches", stuck="true", user_id="somebody").body["batches"] == []


def test_what_is_parked_is_found() -> None:
    call("provision_content", example_event("provision_content"))
    [found] = get("/batches", parked="true").body["batches"]
    assert (found["status"], found["is_stuck"]) == ("awaited", False)
    assert get("/batches", parked="true", stuck="true").body["batches"] == []
    answer = get(f"/batches/{found['batch_id']}").body
    assert (answer["mover"], answer["parked_count"]) == ("upstream", 2)


def test_the_history_tells_everything_in_order_page_by_page(batch: str) -> None:
    call("provision_content", example_event("provision_content"))
    assert command(batch, "k1", command="reopen", if_epoch=1, timeout_seconds=60).status == 200
    assert command(batch, "k2", command="cancel", reason="the course is over").status == 200
    kinds: list[str] = []
    query = {"page_size": "3"}
    while True:
        page = get(f"/batches/{batch}/history", None, **query).body
        kinds += [one["kind"] for one in page["entries"]]
        if page["next_page_token"] is None:
            break
        query["page_token"] = page["next_page_token"]
    everything = get(f"/batches/{batch}/history").body["entries"]
    assert kinds == [one["kind"] for one in everything]
    assert sorted(kinds) == sorted(
        [
            *("named", "opened", "assigned", "superseded", "ended", "announced"),
            *("commanded", "opened", "commanded", "ended", "announced"),
        ]
    )
    assert [one["at"] for one in everything] == sorted(one["at"] for one in everything)
    cancelled = next(one for one in everything if one["command"] == "cancel")
    assert cancelled["by"] == "arn:aws:iam::123456789012:user/teacher"
    assert (cancelled["comment"], cancelled["reason"]) == ("the course is over", None)


def test_an_id_is_found_wherever_it_occurs(batch: str) -> None:
    call("provision_content", example_event("provision_content"))
    [content] = get("/find/text-1").body["found"]
    assert (content["batch_id"], content["kind"], content["outcome"]) == (batch, "content", "assigned")
    [registered] = get(f"/find/{batch}").body["found"]
    assert (registered["kind"], registered["outcome"]) == ("batch", "ready")
    correlation = get(f"/batches/{batch}").body["correlation_id"]
    assert [one["kind"] for one in get(f"/find/{correlation}").body["found"]] == ["registration"]
    failures = get(f"/batches/{batch}").body["validation_failures"]
    upload = failures[0]["identity"].partition(":")[2]
    assert [one["outcome"] for one in get(f"/find/{upload}").body["found"]] == ["failed"]
    assert get("/find/nothing").body["found"] == []


@pytest.mark.fault(42)
def test_a_redis_that_stopped_answering_is_told_to_whoever_asks_for_a_batch(
    batch: str, postgres: PostgresServer, database_url: str
) -> None:
    call("check_health", example_event("check_health"))
    assert get(f"/batches/{batch}").body["mover"] == "upstream"
    late = "UPDATE job_runs SET ran_at = ran_at - interval '4 minutes' WHERE job = 'reach_redis'"
    postgres.execute(late, database=database_url.rpartition("/")[2])
    found = get(f"/batches/{batch}").body
    assert found["mover"] == "els"
    assert found["sentence"].startswith("Redis has not answered since ")


def test_a_page_of_a_batch_that_was_opened_again_is_refused(
    batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("els_core.application.batch_status.PAGE_BYTES", 1)
    call("provision_content", example_event("provision_content"))
    from els_core import bootstrap  # noqa: PLC0415

    small = bootstrap.container().batch_status().__class__
    reader = bootstrap.container().reader
    monkeypatch.setattr(bootstrap.Container, "batch_status", lambda _: small(reader, 1))
    first = get(f"/batches/{batch}").body
    second = get(f"/batches/{batch}", page_token=first["next_page_token"]).body
    assert len(first["ready_essays"] + first["validation_failures"]) == 1
    assert len(second["ready_essays"] + second["validation_failures"]) == 1
    assert second["next_page_token"] is None
    assert command(batch, "k1", command="reopen", if_epoch=1, timeout_seconds=60).status == 200
    assert get(f"/batches/{batch}", page_token=first["next_page_token"]).code == "WRONG_EPOCH"


def test_what_is_unknown_or_malformed_is_a_problem() -> None:
    assert get("/batches/unknown").code == "UNKNOWN_BATCH"
    assert get("/batches/a%20b").code == "UNKNOWN_BATCH"
    assert get("/batches/unknown/history").code == "UNKNOWN_BATCH"
    assert get("/elsewhere").code == "UNKNOWN_ROUTE"
    for path, query in (
        ("/batches", {"colour": "open"}),
        ("/batches", {"page_size": "0"}),
        ("/batches", {"page_token": "W10="}),
        ("/batches/b", {"view": "all"}),
        ("/batches/b", {"page_token": "W10="}),
        ("/batches/b/history", {"view": "full"}),
        ("/find/b", {"page_token": "e30="}),
        ("/system", {"verbose": "1"}),
    ):
        found = get(path, None, **query)
        assert (found.status, found.code) == (400, "MALFORMED")


def test_a_store_that_is_down_is_503_with_a_time_to_come_back(
    postgres: PostgresServer,
) -> None:
    assert get("/batches").status == 200
    postgres.stop()
    try:
        found = get("/batches")
    finally:
        postgres.start()
    assert (found.status, found.code) == (503, "UNAVAILABLE")
    assert int(found.headers["retry-after"]) > 0


def test_the_document_of_the_api_is_served(dead_letter_queue: DeadLetterQueue) -> None:
    assert dead_letter_queue.url
    assert json.loads(get("/openapi.json").text)["openapi"].startswith("3.1")
