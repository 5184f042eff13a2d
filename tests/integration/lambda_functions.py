"""Calls the functions as Lambda calls them, with the example events of the repository."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-north-1"


@dataclass
class Context:
    """The context object that Lambda passes to a handler."""

    function_name: str = "els"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-north-1:123456789012:function:els"
    aws_request_id: str = "request"
    log_stream_name: str = "stream"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class DeadLetterQueue:
    """The dead-letter queue of the functions, to be read by a test."""

    url: str

    def messages(self) -> list[dict[str, Any]]:
        client = boto3.client("sqs", region_name=REGION)
        answer = client.receive_message(
            QueueUrl=self.url, MessageAttributeNames=["All"], MaxNumberOfMessages=10
        )
        return [dict(message) for message in answer.get("Messages", [])]


def example_event(function: str) -> dict[str, Any]:
    """Return the event of `events/<function>.json`."""
    event: dict[str, Any] = json.loads(Path("events", f"{function}.json").read_text("utf-8"))
    return event


def call(function: str, event: dict[str, Any]) -> Any:
    """Call the handler of a function and return its answer."""
    return importlib.import_module(f"functions.{function}.handler").handle(event, Context())
