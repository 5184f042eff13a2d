"""The candidate: the handler of provision_content, invoked as Lambda invokes it, with logs and metrics on."""

from __future__ import annotations

import importlib
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from benchmarks.servers import FUNCTION
from benchmarks.workload import sqs_event
from dev.deploy.template import Template
from els_core import bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.domain.arrivals import Arrival


@dataclass
class LambdaContext:
    """The attributes of Lambda's context object that the handler reads."""

    memory_limit_in_mb: int
    function_name: str = "provision_content"
    invoked_function_arn: str = "arn:aws:lambda:eu-north-1:123456789012:function:provision_content"
    aws_request_id: str = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Return a time that never runs short."""
        return 30_000


class Handler:
    """Handles SQS events; its log lines go to a file."""

    def __init__(self, log: IO[str]) -> None:
        self._log = log
        self._context = LambdaContext(Template.read().memory_mb(FUNCTION))
        with redirect_stdout(log):
            self._handle = importlib.import_module("functions.provision_content.handler").handle

    def prepare(self, sqs_batches: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return the call that is timed; building the events is not part of it, as SQS does that."""
        events = [sqs_event(arrivals) for arrivals in sqs_batches]

        def run() -> None:
            with redirect_stdout(self._log):
                for event in events:
                    response = self._handle(event, self._context)
                    if response != {"batchItemFailures": []}:
                        raise RuntimeError(f"the handler did not process every record: {response}")

        return run

    def logged_bytes(self) -> int:
        """Return how much has been logged so far."""
        return self._log.tell()

    def close(self) -> None:
        """Close the connections of the service."""
        bootstrap.container().close()
        bootstrap.container.cache_clear()
