"""python -m dev.deploy.redrive: move dead letters back into their queue, as StartMessageMoveTask does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dev.deploy.stack import client_of

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

BATCH = 10


def redrive(sqs: SQSClient, dead_letters: str, queue: str) -> int:
    """Move the messages of a dead-letter queue to another queue and return how many were moved.

    It moves no more than there are at the start, because a poison message returns while this runs. A message
    is sent before it is deleted: a crash in between duplicates it, which is harmless, and never loses it.
    """
    known = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["ApproximateNumberOfMessages"])
    left = int(known["Attributes"]["ApproximateNumberOfMessages"])
    moved = 0
    while moved < left:
        received = sqs.receive_message(QueueUrl=dead_letters, MaxNumberOfMessages=min(BATCH, left - moved))
        messages = received.get("Messages", [])
        if not messages:
            break
        for message in messages:
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
        moved += len(messages)
    return moved


def main() -> None:
    """Redrive one queue of the local AWS."""
    parser = argparse.ArgumentParser(prog="python -m dev.deploy.redrive", description=__doc__)
    parser.add_argument("endpoint", help="of the local AWS, as AWS_ENDPOINT_URL names it")
    parser.add_argument("dead_letters", help="URL of the dead-letter queue")
    parser.add_argument("queue", help="URL of the queue that fed the function")
    chosen = parser.parse_args()
    moved = redrive(client_of(chosen.endpoint, "sqs"), chosen.dead_letters, chosen.queue)
    print(f"moved {moved} messages")


if __name__ == "__main__":
    main()
