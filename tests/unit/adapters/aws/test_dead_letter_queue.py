"""A dead letter that SQS rejects neither hides the accepted ones nor stops the following ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.aws.dead_letter_queue import SqsDeadLetterQueue
from els_core.application.messages import DeadLetter, PoisonMessage, QueueMessage
from els_core.domain.errors import ExternalServiceError
from tests.unit.adapters.aws.clients import SQS_BYTES, SqsClient, client_error, unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence


def letters(count: int, body: str = "{") -> list[DeadLetter]:
    poison = PoisonMessage("INVALID_JSON", "body", "å" * 2_000)
    return [DeadLetter(QueueMessage(f"m{n}", body), poison) for n in range(count)]


def send(client: Any, sent: Sequence[DeadLetter]) -> list[str]:
    return SqsDeadLetterQueue(client, "queue").send(sent)


def test_dead_letters_are_grouped_by_entries_and_bytes() -> None:
    client = SqsClient()
    assert len(send(client, letters(23) + letters(5, "å" * 150_000))) == 28
    assert [len(call) for call in client.calls] == [10, 10, 6, 2]


@pytest.mark.fault(35)
def test_a_call_that_is_rejected_because_of_one_letter_is_repeated_until_that_letter_is_alone() -> None:
    client = SqsClient(rejects_call=lambda entry: entry["MessageBody"] == "guilty")
    guilty = DeadLetter(QueueMessage("guilty", "guilty"), PoisonMessage("INVALID_JSON", "body", "no"))
    sent = [*letters(13), guilty, *letters(3, "[")]
    assert send(client, sent) == [one.message.message_id for one in sent if one is not guilty]


@pytest.mark.fault(39)
def test_attributes_are_cleaned_and_cut_to_what_sqs_accepts() -> None:
    client = SqsClient()
    poison = PoisonMessage("CODE", "", "a\x00b\x1bc\ud800d\uffffe" + "x" * 9_000)
    send(client, [DeadLetter(QueueMessage("m", "body"), poison)])
    values = {n: v["StringValue"] for n, v in client.calls[0][0]["MessageAttributes"].items()}
    assert values["field"] == "-"
    assert values["reason"].startswith("a?b?c?d?e")
    assert len(values["reason"]) == 500


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("size", "kept"),
    [
        (SQS_BYTES, []),
        (SQS_BYTES - 40, ["error_code"]),
        (SQS_BYTES - 60, ["error_code", "field"]),
        (SQS_BYTES - 5_000, ["error_code", "field", "reason"]),
    ],
)
def test_a_body_that_leaves_no_room_is_sent_with_fewer_attributes(size: int, kept: list[str]) -> None:
    client = SqsClient()
    assert send(client, letters(1, "x" * size)) == ["m0"]
    assert list(client.calls[0][0]["MessageAttributes"]) == kept


def test_a_body_that_is_larger_than_a_message_may_be_does_not_stop_its_neighbours() -> None:
    client = SqsClient()
    sent = [*letters(2), DeadLetter(QueueMessage("huge", "x" * (SQS_BYTES + 1)), letters(1)[0].poison)]
    assert send(client, sent) == ["m0", "m1"]


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("", "-"),
        ("a\x00\x1b", "a\ufffd\ufffd"),
        ("a\ud800", "a\ufffd"),
        ("a\ufffe", "a\ufffd"),
        ("\ufeff{\t\r\n\U0001f600", "\ufeff{\t\r\n\U0001f600"),
    ],
)
def test_a_body_is_sent_as_it_came_except_for_what_no_queue_can_hold(body: str, sent: str) -> None:
    client = SqsClient()
    assert send(client, letters(1, body)) == ["m0"]
    assert client.calls[0][0]["MessageBody"] == sent


@pytest.mark.fault(35)
def test_a_letter_that_its_queue_refuses_alone_is_sent_without_attributes() -> None:
    client = SqsClient(
        rejects_call=lambda entry: entry["MessageBody"] == "[" and bool(entry["MessageAttributes"])
    )
    assert send(client, [*letters(3), *letters(1, "[")]) == ["m0", "m1", "m2", "m0"]


def answering(answer: Any) -> SqsClient:
    client = SqsClient()
    setattr(client, "send_message_batch", lambda **_: answer)  # noqa: B010 - mypy forbids to assign a method
    return client


@pytest.mark.fault(35)
@pytest.mark.parametrize(
    "answer", [{}, {"Successful": None}, {"Successful": [{}]}, {"Successful": [{"Id": "x"}]}]
)
def test_a_letter_of_which_sqs_does_not_say_that_it_was_accepted_was_not(answer: Any) -> None:
    assert send(answering(answer), letters(2)) == []


@pytest.mark.fault(35)
@pytest.mark.parametrize("answer", [None, {"Successful": "odd"}])
def test_an_answer_that_makes_no_sense_is_a_fault(answer: Any) -> None:
    with pytest.raises(ExternalServiceError, match="SQS"):
        send(answering(answer), letters(2))


@pytest.mark.fault(35)
def test_letters_are_accepted_by_their_ids_whatever_their_order() -> None:
    answer = {"Successful": [{"Id": "2"}, {"Id": "0"}, {"Id": "99"}], "Failed": [{"Id": "1"}]}
    assert send(answering(answer), letters(3)) == ["m0", "m2"]


def test_an_unreachable_queue_is_called_once_and_earlier_calls_count() -> None:
    client = SqsClient(fails=lambda call: unreachable() if call == 2 else None)
    assert send(client, letters(40)) == [f"m{n}" for n in range(10)]
    assert len(client.calls) == 2


def test_a_queue_that_accepts_nothing_is_a_fault() -> None:
    client = SqsClient(fails=lambda _: client_error("AWS.SimpleQueueService.NonExistentQueue"))
    with pytest.raises(ExternalServiceError, match="SQS"):
        send(client, letters(3))
