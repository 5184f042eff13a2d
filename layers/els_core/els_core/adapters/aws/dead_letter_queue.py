"""Sends poison messages to the dead-letter queue of the function's own queue, with the reason.

Limits: at most 10 messages and 1 MiB per call and per message, attributes counted with name and type.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from els_core.adapters.aws.client_errors import concerns_the_content, error_code_of
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

    from els_core.application.messages import DeadLetter

    type AttributesOf = Callable[[DeadLetter], dict[str, str]]

MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
MAX_ATTRIBUTE = 500  # characters
# What SQS accepts; https://www.w3.org/TR/REC-xml/#charsets
_NOT_ACCEPTED = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SqsDeadLetterQueue:
    """The port `DeadLetterQueue`."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Send the letters; a call that is rejected because of one letter is repeated in halves.

        One that is rejected alone is sent once more without attributes: the queue may take less than SQS
        does, and the log has the reason too. Returns the message ids that SQS accepted; raises
        `ExternalServiceError` when it accepted none.
        """
        accepted: list[str] = []
        cause: Exception | None = None
        calls: deque[tuple[Sequence[DeadLetter], AttributesOf]]
        calls = deque((call, _attributes) for call in _calls(letters))
        while calls:
            call, attributes = calls.popleft()
            try:
                accepted.extend(self._send(call, attributes))
            except Exception as error:  # noqa: BLE001 - an answer that cannot be parsed has many classes
                cause = error
                if not concerns_the_content(error):
                    break  # every further call would fail as well
                if len(call) > 1:
                    middle = len(call) // 2
                    calls.extendleft(((call[middle:], attributes), (call[:middle], attributes)))
                elif attributes is _attributes:
                    calls.appendleft((call, _no_attributes))
        if cause is not None and not accepted:
            raise ExternalServiceError(
                "send dead letters", service="SQS", details=error_code_of(cause)
            ) from cause
        return accepted

    def _send(self, call: Sequence[DeadLetter], attributes: AttributesOf) -> list[str]:
        entries = [_entry(position, letter, attributes(letter)) for position, letter in enumerate(call)]
        answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        accepted = {success.get("Id") for success in answer.get("Successful") or []}
        return [letter.message.message_id for at, letter in enumerate(call) if str(at) in accepted]


def _entry(
    position: int, letter: DeadLetter, attributes: dict[str, str]
) -> SendMessageBatchRequestEntryTypeDef:
    return {
        "Id": str(position),
        "MessageBody": _body(letter),
        "MessageAttributes": {name: _string(value) for name, value in attributes.items()},
    }


def _body(letter: DeadLetter) -> str:
    """Return the body as it came; only what no queue can hold is replaced, so that a letter can be sent."""
    return _NOT_ACCEPTED.sub("\ufffd", letter.message.body) or "-"


def _attributes(letter: DeadLetter) -> dict[str, str]:
    """Return the attributes, without the last ones where body and attributes exceed the limit together.

    A body of the largest size leaves no room for any; the log has the reason too.
    """
    poison = letter.poison
    attributes = {
        "error_code": _accepted(poison.error_code),
        "field": _accepted(poison.field),
        "reason": _accepted(poison.reason),
    }
    while attributes and _size(letter, attributes) > MAX_BYTES:
        attributes.popitem()
    return attributes


def _no_attributes(_: DeadLetter) -> dict[str, str]:
    return {}


def _accepted(value: str) -> str:
    """Return the text as SQS accepts it: without control characters, cut, and never empty."""
    return _NOT_ACCEPTED.sub("?", value)[:MAX_ATTRIBUTE] or "-"


def _string(value: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": value}


def _size(letter: DeadLetter, attributes: dict[str, str]) -> int:
    """Return the size of a message as SQS counts it, in UTF-8 bytes."""
    names = sum(len(name) + len("String") + len(value.encode()) for name, value in attributes.items())
    return len(_body(letter).encode()) + names


def _calls(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Split into calls by number of messages and bytes."""
    call: list[DeadLetter] = []
    size = 0
    for letter in letters:
        entry = _size(letter, _attributes(letter))
        if call and (len(call) == MAX_ENTRIES or size + entry > MAX_BYTES):
            yield call
            call, size = [], 0
        call.append(letter)
        size += entry
    if call:
        yield call
