"""Fakes of the AWS clients: they enforce the limits of AWS and fail where a test wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError, ConnectTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEGABYTE = 1_000_000  # the smaller reading of "1 MB"
SQS_BYTES = 1_048_576


def client_error(code: str, operation: str = "PutEvents") -> ClientError:
    metadata: Any = {"HTTPStatusCode": 400}
    return ClientError({"Error": {"Code": code, "Message": code}, "ResponseMetadata": metadata}, operation)


def unreachable() -> ConnectTimeoutError:
    return ConnectTimeoutError(endpoint_url="https://events")


def size_of_entry(entry: dict[str, Any]) -> int:
    """Return the size of an entry as AWS counts it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
    """
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry.get("Resources", ()))
    return (14 if "Time" in entry else 0) + sum(len(text.encode()) for text in texts)


@dataclass
class EventsClient:
    """EventBridge. `rejects` returns the code of a rejected entry, `fails` the exception of a failed call.

    `rejects_call` tells whether one entry makes EventBridge reject the whole call.
    """

    rejects: Callable[[dict[str, Any]], str | None] = lambda _: None
    fails: Callable[[int], Exception | None] = lambda _: None
    rejects_call: Callable[[dict[str, Any]], bool] = lambda _: False
    calls: list[list[dict[str, Any]]] = field(default_factory=list)

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.calls.append(list(Entries))
        if failure := self.fails(len(self.calls)):
            raise failure
        is_too_large = not 1 <= len(Entries) <= 10 or sum(map(size_of_entry, Entries)) > MEGABYTE
        if is_too_large or any(map(self.rejects_call, Entries)):
            raise client_error("ValidationException")
        results = [self._result(entry) for entry in Entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _result(self, entry: dict[str, Any]) -> dict[str, str]:
        code = self.rejects(entry)
        return {"ErrorCode": code, "ErrorMessage": code} if code else {"EventId": str(uuid4())}


@dataclass
class SqsClient:
    """SQS. `fails` returns the exception of a failed call, by its number.

    `rejects_call` tells whether one entry makes SQS reject the whole call.
    """

    fails: Callable[[int], Exception | None] = lambda _: None
    rejects_call: Callable[[dict[str, Any]], bool] = lambda _: False
    calls: list[list[dict[str, Any]]] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl
        self.calls.append(list(Entries))
        if failure := self.fails(len(self.calls)):
            raise failure
        if any(map(self.rejects_call, Entries)):
            raise client_error("InvalidMessageContents", "SendMessageBatch")
        if not 1 <= len(Entries) <= 10 or sum(map(_size_of_message, Entries)) > SQS_BYTES:
            raise client_error("AWS.SimpleQueueService.BatchRequestTooLong", "SendMessageBatch")
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def _size_of_message(entry: dict[str, Any]) -> int:
    attributes = (
        len(name.encode()) + len(value["DataType"]) + len(value["StringValue"].encode())
        for name, value in entry["MessageAttributes"].items()
    )
    return len(entry["MessageBody"].encode()) + sum(attributes)
