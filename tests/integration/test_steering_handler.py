"""The function `steer_batch`: from the message of a queue to the rows, and what becomes of bad ones."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.integration.lambda_functions import call, example_event

if TYPE_CHECKING:
    from tests.integration.lambda_functions import DeadLetterQueue


def commanded(**data: object) -> dict[str, Any]:
    """Return the example with other data, and with an id of its own for each command."""
    event = deepcopy(example_event("steer_batch"))
    [record] = event["Records"]
    body = json.loads(record["body"])
    detail = body["detail"]
    detail["data"] = {"batch_id": "batch-1", "actor": "teacher-1", **data}
    detail["metadata"]["event_id"] = f"1d9f5f5e-0000-4000-8000-{abs(hash(str(data))) % 10**12:012}"
    record["body"] = json.dumps(body)
    return event


def status() -> str:
    found: str = json.loads(call("batch_status", example_event("batch_status"))["body"])["status"]
    return found


def test_the_example_opens_the_batch_of_the_other_examples_again(dead_letter_queue: DeadLetterQueue) -> None:
    call("register_batch", example_event("register_batch"))
    call("provision_content", example_event("provision_content"))
    assert status() == "ready"
    assert call("steer_batch", example_event("steer_batch")) == {"batchItemFailures": []}
    assert status() == "open"
    assert call("steer_batch", example_event("steer_batch")) == {"batchItemFailures": []}
    assert call("steer_batch", commanded(command="cancel")) == {"batchItemFailures": []}
    assert status() == "cancelled"
    assert call("steer_batch", commanded(command="close")) == {"batchItemFailures": []}
    assert dead_letter_queue.messages() == []


def test_a_malformed_command_and_an_id_that_was_used_are_dead_letters(
    dead_letter_queue: DeadLetterQueue,
) -> None:
    call("register_batch", example_event("register_batch"))
    call("steer_batch", commanded(command="change_deadline"))
    first = commanded(command="cancel")
    second = deepcopy(first)
    second["Records"][0]["body"] = second["Records"][0]["body"].replace('"cancel"', '"close"')
    call("steer_batch", first)
    call("steer_batch", second)
    codes = {
        (letter["MessageAttributes"]["error_code"]["StringValue"], field["StringValue"])
        for letter in dead_letter_queue.messages()
        for field in [letter["MessageAttributes"]["field"]]
    }
    assert codes == {
        ("INVALID_FIELD", "detail.data.deadline"),
        ("COMMAND_ID_REUSED", "detail.metadata.event_id"),
    }
    assert status() == "cancelled"
