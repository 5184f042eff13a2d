"""The shapes that SQS and Lambda prescribe for messages and for a partial batch response."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from els_core.application.messages import QueueMessage
from els_core.contracts.sqs import NoRecordsError, messages_of, partial_batch_response


def test_messages_keep_their_ids_bodies_and_order() -> None:
    records = [
        {"messageId": "2", "body": "{}", "receiptHandle": "r", "attributes": {}},
        {"messageId": "1", "body": "[]", "attributes": {"SentTimestamp": "1769860800123"}},
    ]
    sent_at = datetime(2026, 1, 31, 12, 0, 0, 123_000, UTC)
    assert messages_of({"Records": records}) == [QueueMessage("2", "{}"), QueueMessage("1", "[]", sent_at)]


ODD_RECORDS: list[tuple[Any, QueueMessage]] = [
    ({"body": "{}"}, QueueMessage("", "{}")),
    ({"messageId": 7, "body": "{}"}, QueueMessage("", "{}")),
    ({"messageId": "1"}, QueueMessage("1", "")),
    ({"messageId": "1", "body": {"detail": {}}}, QueueMessage("1", "")),
    (None, QueueMessage("", "")),
]
NO_TIMES: list[Any] = [
    None,
    [],
    "x",
    *({"SentTimestamp": odd} for odd in ("", "x", "9" * 30, ["1"], "nan", "1.5")),
]


@pytest.mark.fault(25)
@pytest.mark.parametrize(("record", "message"), ODD_RECORDS)
def test_an_odd_record_is_a_message_of_its_own_and_stops_no_other(record: Any, message: QueueMessage) -> None:
    good = {"messageId": "2", "body": "[]"}
    assert messages_of({"Records": [record, good]}) == [message, QueueMessage("2", "[]")]


@pytest.mark.fault(25)
@pytest.mark.parametrize("attributes", NO_TIMES)
def test_a_sent_time_that_makes_no_sense_is_none(attributes: Any) -> None:
    record = {"messageId": "1", "body": "{}", "attributes": attributes}
    assert messages_of({"Records": [record]}) == [QueueMessage("1", "{}")]


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": "x"}, {"Records": {"0": {}}}])
def test_an_event_without_records_says_how_to_invoke_the_function(event: dict[str, Any]) -> None:
    with pytest.raises(NoRecordsError, match="by its queue"):
        messages_of(event)


def test_a_response_names_the_messages_that_are_retried() -> None:
    assert partial_batch_response(["1", "2"]) == {
        "batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]
    }


def test_a_response_without_failures_acknowledges_every_message() -> None:
    assert partial_batch_response([]) == {"batchItemFailures": []}
