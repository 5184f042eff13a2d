"""The functions at work: what the event source mapping and the schedule of AWS do, around real runtimes."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from dev.servers.lambda_runtime import InvocationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

    from dev.chaos.environment import Queue, World
    from dev.chaos.worker_threads import Crew
    from dev.servers.lambda_runtime import LambdaRuntime

BATCH_SIZE = 10
SCHEDULE_SECONDS = 3.0
FED = {"RegisterBatchFunction": "register", "ProvisionContentFunction": "provision"}
SCHEDULED = ("ExpireBatchesFunction", "PublishOutboxFunction")
SCHEDULE_EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


@dataclass
class Fleet:
    """All instances, each with the thread that feeds it."""

    world: World
    crew: Crew
    provision: int = 3
    register: int = 1
    runtimes: list[LambdaRuntime] = field(default_factory=list)
    invocations: Counter[str] = field(default_factory=Counter)
    last_error: str = ""
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        fed = ["RegisterBatchFunction"] * self.register + ["ProvisionContentFunction"] * self.provision
        try:
            for function in (*fed, *SCHEDULED):
                runtime = self.world.runtime(function, FED.get(function))
                self.runtimes.append(self._stack.enter_context(runtime))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def work(self) -> None:
        """Begin to feed every instance, each in a thread of its own."""
        for runtime in self.runtimes:
            self.crew.put_to_work(runtime.function, self._work_of(runtime))

    def _work_of(self, runtime: LambdaRuntime) -> Callable[[], None]:
        name = FED.get(runtime.function)
        if name is None:
            return lambda: self._on_schedule(runtime)
        queue, sqs = self.world.queues[name], self.world.sqs()
        return lambda: self._poll(runtime, sqs, queue)

    def _on_schedule(self, runtime: LambdaRuntime) -> None:
        self._invoke(runtime, SCHEDULE_EVENT)
        self.crew.pause(SCHEDULE_SECONDS)

    def _poll(self, runtime: LambdaRuntime, sqs: SQSClient, queue: Queue) -> None:
        """Receive, invoke, and delete all but what comes back; after a crash nothing is deleted."""
        messages = self._asked(lambda: _receive(sqs, queue))
        if not messages:
            return
        answer = self._invoke(runtime, {"Records": [_record(message, queue) for message in messages]})
        if answer is None:
            return
        batch_item_failures = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.invocations["records that came back"] += len(batch_item_failures)
        done = [message for message in messages if message["MessageId"] not in batch_item_failures]
        if done:
            self._asked(lambda: _delete(sqs, queue, done))

    def _invoke(self, runtime: LambdaRuntime, event: Mapping[str, Any]) -> dict[str, Any] | None:
        try:
            answer = runtime.invoke(event)
        except InvocationError as error:
            self.invocations[f"ended by {error.kind}"] += 1
            self.last_error = str(error)
            return None
        self.invocations["answered"] += 1
        return answer if isinstance(answer, dict) else {}

    def _asked[T](self, question: Callable[[], T]) -> T | None:
        """Ask SQS; what it could not do is tried again with the next poll, as a mapping of AWS does."""
        try:
            return question()
        except (BotoCoreError, ClientError) as error:
            self.invocations["queue unreachable"] += 1
            self.last_error = str(error)
            self.crew.pause(0.2)
            return None


def _receive(sqs: SQSClient, queue: Queue) -> list[MessageTypeDef]:
    received = sqs.receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=BATCH_SIZE,
        WaitTimeSeconds=1,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return received.get("Messages", [])


def _delete(sqs: SQSClient, queue: Queue, messages: list[MessageTypeDef]) -> None:
    entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
        {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(messages)
    ]
    sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)


def _record(message: MessageTypeDef, queue: Queue) -> dict[str, Any]:
    """Return the message in the shape in which Lambda gets it from its event source mapping."""
    body = message["Body"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": body,
        "attributes": message.get("Attributes", {}),
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": hashlib.md5(body.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": "eu-north-1",
    }
