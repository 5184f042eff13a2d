"""All function instances, invoked as the event source mappings and schedules of AWS invoke them."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dev.programs.lifecycle import Lifecycle
from dev.programs.tools import REGION
from dev.servers.lambda_runtime import InvocationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

    from dev.chaos.environment import Environment, Queue, SourceQueue
    from dev.chaos.worker_threads import WorkerThreads
    from dev.servers.lambda_runtime import LambdaRuntime

PROVISIONING_FUNCTION = "ProvisionContentFunction"
SCHEDULE = "rate(1 minute)"
SCHEDULE_SECONDS = 3.0  # in place of that minute
SCHEDULE_EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


@dataclass
class LambdaFleet(Lifecycle):
    """All instances, each with its thread: `provisioning` of ProvisionContentFunction, one of each other."""

    environment: Environment
    threads: WorkerThreads
    provisioning: int = 3
    runtimes: list[LambdaRuntime] = field(default_factory=list)
    invocations: Counter[str] = field(default_factory=Counter)
    last_error: str = ""
    _sources: dict[str, SourceQueue] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def _open(self) -> None:
        self._sources = {
            queue.definition.function: queue for queue in self.environment.source_queues.values()
        }
        functions = [
            function
            for function in self._sources
            for _ in range(self.provisioning if function == PROVISIONING_FUNCTION else 1)
        ]
        for function in (*functions, *self.environment.template.scheduled(SCHEDULE)):
            runtime = self.environment.runtime(function)
            self.runtimes.append(self._stack.enter_context(runtime))

    def close(self) -> None:
        """Stop every instance."""
        self._stack.close()

    def start(self) -> None:
        """Start to invoke every instance."""
        for runtime in self.runtimes:
            self.threads.start(runtime.function, self._step_of(runtime))

    def _step_of(self, runtime: LambdaRuntime) -> Callable[[], None]:
        queue = self._sources.get(runtime.function)
        if queue is None:
            return lambda: self._invoke_on_schedule(runtime)
        sqs = self.environment.sqs()
        return lambda: self._poll(runtime, sqs, queue)

    def _invoke_on_schedule(self, runtime: LambdaRuntime) -> None:
        self._invoke(runtime, SCHEDULE_EVENT)
        self.threads.wait(SCHEDULE_SECONDS)

    def _poll(self, runtime: LambdaRuntime, sqs: SQSClient, queue: SourceQueue) -> None:
        """Receive, invoke, and delete all messages but the failed ones; after a crash delete none."""
        messages = self._call_sqs(lambda: _receive(sqs, queue, queue.definition.batch_size))
        if not messages:
            return
        response = self._invoke(runtime, {"Records": [_record(message, queue) for message in messages]})
        if response is None:
            return
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        self.invocations["messages retried"] += len(failed)
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            self._call_sqs(lambda: _delete(sqs, queue, done))

    def _invoke(self, runtime: LambdaRuntime, event: Mapping[str, Any]) -> dict[str, Any] | None:
        try:
            response = runtime.invoke(event)
        except InvocationError as error:
            self.invocations[f"failed with {error.kind}"] += 1
            self.last_error = str(error)
            return None
        self.invocations["succeeded"] += 1
        return response if isinstance(response, dict) else {}

    def _call_sqs[T](self, call: Callable[[], T]) -> T | None:
        """Call SQS; a failed call is repeated by the next poll, as an event source mapping does."""
        try:
            return call()
        except (BotoCoreError, ClientError) as error:
            self.invocations["SQS unreachable"] += 1
            self.last_error = str(error)
            self.threads.wait(0.2)
            return None


def _receive(sqs: SQSClient, queue: Queue, batch_size: int) -> list[MessageTypeDef]:
    received = sqs.receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=batch_size,
        WaitTimeSeconds=1,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return received.get("Messages", [])


def _delete(sqs: SQSClient, queue: Queue, messages: list[MessageTypeDef]) -> None:
    entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
        {"Id": str(position), "ReceiptHandle": message["ReceiptHandle"]}
        for position, message in enumerate(messages)
    ]
    sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)


def _record(message: MessageTypeDef, queue: Queue) -> dict[str, Any]:
    """Return the record that an event source mapping makes of a message."""
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
        "awsRegion": REGION,
    }
