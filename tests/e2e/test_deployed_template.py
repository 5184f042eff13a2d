"""The real template, built and deployed to a local AWS, used through its buses and its HTTP API."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from dev.deploy import host_build, sam
from dev.deploy.migration import migrate
from dev.deploy.stack import Announcement, EventConsumer, ReceivedEvent, Stack, announce
from dev.servers.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

TERMINAL = {"BatchEssaysReady", "BatchValidationErrors", "BatchReadinessTimeout"}


class Deployed:
    """The stack, and all events that it has published so far."""

    def __init__(self, stack: Stack, consumer: EventConsumer) -> None:
        self.stack = stack
        self.events = stack.client("events")
        self._consumer = consumer
        self._received: list[ReceivedEvent] = []

    def announce(self, *announcements: Announcement) -> None:
        announce(self.events, self.stack.outputs["InboundBus"], *announcements)

    def received(self, batch_id: str) -> list[ReceivedEvent]:
        self._received.extend(self._consumer.receive())
        return [event for event in self._received if event.data["batch_id"] == batch_id]

    def kinds(self, batch_id: str) -> Counter[str]:
        """Count the distinct events of a batch by kind: a repetition has the same id."""
        return Counter({event.event_id: event.detail_type for event in self.received(batch_id)}.values())

    def status_of(self, batch_id: str) -> str | None:
        status: str | None = self.stack.status(batch_id).get("status")
        return status


def content(batch_id: str, name: str) -> Announcement:
    data = {
        "batch_id": batch_id,
        "text_storage_id": name,
        "raw_file_storage_id": f"raw-{name}",
        "original_file_name": f"{name}.txt",
        "file_size_bytes": 400,
    }
    return Announcement("EssayContentProvisioned", data)


def failure(batch_id: str, name: str) -> Announcement:
    data = {
        "batch_id": batch_id,
        "original_file_name": f"{name}.txt",
        "raw_file_storage_id": "STORAGE_FAILED",
        "validation_error_code": "EMPTY_CONTENT",
        "validation_error_message": "the file is empty",
        "file_size_bytes": 0,
        "file_upload_id": name,
    }
    return Announcement("EssayValidationFailed", data)


def registration(batch_id: str, slots: int, timeout_seconds: int = 3_600) -> Announcement:
    data = {
        "batch_id": batch_id,
        "essay_ids": [f"essay-{number}" for number in range(slots)],
        "expected_essay_count": slots,
        "course_code": "ENG5",
        "user_id": "teacher",
        "timeout_seconds": timeout_seconds,
    }
    return Announcement("BatchEssaysRegistered", data)


@pytest.fixture(scope="module")
def deployed(postgres: PostgresServer, valkey_alone: ValkeyServer) -> Iterator[Deployed]:
    host_build.build()
    url = postgres.create_database("deployed")
    with LocalAws() as aws:
        parameters = {"Stage": "local", "DatabaseUrl": url, "RedisUrl": valkey_alone.url}
        stack = sam.deploy(
            aws.endpoint,
            parameters,
            template=host_build.BUILT / "template.yaml",
            server_log=aws.log_tail,
        )
        yield Deployed(stack, EventConsumer(aws.endpoint, stack.outputs["OutboundBus"]))
    postgres.drop_database("deployed")


def until(what: str, condition: Callable[[], bool]) -> None:
    for _ in range(360):
        if condition():
            return
        Event().wait(0.25)
    pytest.fail(f"not seen within 90 s: {what}")


def test_an_incomplete_batch_is_closed_by_the_schedule_of_the_template(deployed: Deployed) -> None:
    deployed.announce(registration("incomplete", 2, timeout_seconds=1))
    until("the sweep, which runs every minute", lambda: bool(deployed.kinds("incomplete")))
    assert deployed.kinds("incomplete") == {"BatchReadinessTimeout": 1}
    [event] = deployed.received("incomplete")
    assert event.data["missing_essay_ids"] == ["essay-0", "essay-1"]
    assert deployed.status_of("incomplete") == "timed_out"


def test_content_before_its_batch_and_duplicates_make_one_ready_batch(deployed: Deployed) -> None:
    first = content("early", "a")
    deployed.announce(first, content("early", "b"), first)
    until("the parking", lambda: deployed.status_of("early") == "awaited")
    deployed.announce(registration("early", 2))
    until("the terminal event", lambda: "BatchEssaysReady" in deployed.kinds("early"))
    assert deployed.stack.status("early")["sentence"].startswith("ready: 2 of 2 assigned")
    assert sum(kind in TERMINAL for kind in deployed.kinds("early").elements()) == 1


def test_of_more_contents_than_slots_each_slot_gets_one_and_the_rest_is_excess(
    deployed: Deployed,
) -> None:
    contents = [content("crowded", name) for name in "abcde"]
    deployed.announce(registration("crowded", 3), *contents, *contents)
    until("two excess contents", lambda: deployed.kinds("crowded")["ExcessContentProvisioned"] == 2)
    until("the terminal event", lambda: "BatchEssaysReady" in deployed.kinds("crowded"))
    owners = {
        slot["essay_id"]: slot["text_storage_id"]
        for event in deployed.received("crowded")
        if event.detail_type == "EssaySlotsAssigned"
        for slot in event.data["assignments"]
    }
    excess = {
        event.data["text_storage_id"]
        for event in deployed.received("crowded")
        if event.detail_type == "ExcessContentProvisioned"
    }
    assert set(owners) == {"essay-0", "essay-1", "essay-2"}
    assert sorted([*owners.values(), *excess]) == list("abcde")


def test_a_batch_of_failures_has_one_terminal_event(deployed: Deployed) -> None:
    deployed.announce(registration("invalid", 2), failure("invalid", "x"), failure("invalid", "y"))
    until("the terminal event", lambda: bool(deployed.kinds("invalid")))
    assert deployed.kinds("invalid") == {"BatchValidationErrors": 1}
    assert deployed.stack.status("invalid")["failed_count"] == 2


def received(deployed: Deployed, queue: str) -> list[dict[str, Any]]:
    """Wait for messages in the queue of this output."""
    url = deployed.stack.outputs[queue]
    messages: list[dict[str, Any]] = []

    def arrived() -> bool:
        answer = deployed.stack.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        messages.extend(answer.get("Messages", []))
        return bool(messages)

    until(f"a message in {queue}", arrived)
    return messages


def test_a_poison_message_goes_to_the_dead_letter_queue_with_its_reason(deployed: Deployed) -> None:
    deployed.announce(Announcement("EssayContentProvisioned", {"batch_id": "poison"}))
    letters = received(deployed, "ProvisionContentDeadLettersUrl")
    attributes = {name: value["StringValue"] for name, value in letters[0]["MessageAttributes"].items()}
    assert (attributes["error_code"], attributes["field"]) == ("MISSING_FIELD", "detail.data.text_storage_id")
    assert json.loads(letters[0]["Body"])["detail"]["data"] == {"batch_id": "poison"}


def test_the_status_of_an_unknown_batch_says_that_it_is_unknown(deployed: Deployed) -> None:
    assert "no batch nobody" in deployed.stack.status("nobody")["message"]


def test_an_event_with_a_mistyped_detail_type_is_kept_for_an_operator(deployed: Deployed) -> None:
    deployed.announce(Announcement("EssayContentProvisionned", {"batch_id": "mistyped"}))
    [message] = received(deployed, "UnknownEventsQueueUrl")
    assert json.loads(message["Body"])["detail"]["data"] == {"batch_id": "mistyped"}


def test_a_command_is_kept_for_an_operator_where_no_source_may_command(deployed: Deployed) -> None:
    deployed.announce(Announcement("BatchCommand", {"batch_id": "commanded"}))
    kept = [json.loads(message["Body"])["detail"] for message in received(deployed, "UnknownEventsQueueUrl")]
    assert {"batch_id": "commanded"} in [detail["data"] for detail in kept]


def test_the_migration_can_be_invoked_where_custom_resources_are_skipped(deployed: Deployed) -> None:
    newest = max(Path("migrations", "versions").glob("*.py")).name.partition("_")[0]
    assert migrate(deployed.stack).startswith(newest)


def test_a_paused_stack_starts_no_function_by_itself(deployed: Deployed) -> None:
    """The last test: nothing works any more afterwards."""
    sam.deploy(deployed.stack.endpoint, {"Paused": "true"}, template=host_build.BUILT / "template.yaml")
    mappings = deployed.stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert [mapping["State"] for mapping in mappings] == ["Disabled"] * 3
    schedules = [rule for rule in deployed.events.list_rules()["Rules"] if "ScheduleExpression" in rule]
    assert [rule["State"] for rule in schedules] == ["DISABLED"] * 4
