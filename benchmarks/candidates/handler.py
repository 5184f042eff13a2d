"""The whole handler, called as Lambda calls it: parse, propose, decide, tell Redis, publish, log, count."""

from __future__ import annotations

import importlib
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from benchmarks.workload import sqs_event
from els_core import bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.domain.arrivals import Arrival


@dataclass
class Context:
    """What Lambda tells a function of itself."""

    function_name: str = "provision_content"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-north-1:123456789012:function:provision_content"
    aws_request_id: str = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Return a time that never runs short."""
        return 30_000


class WholeHandler:
    """Handles SQS events; what it logs goes to a file."""

    def __init__(self, log: IO[str]) -> None:
        self._log = log
        with redirect_stdout(log):
            self._handle = importlib.import_module("functions.provision_content.handler").handle

    def over(self, chunks: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return what is to be timed; the events are made before, as the queue does."""
        events = [sqs_event(chunk) for chunk in chunks]

        def loop() -> None:
            with redirect_stdout(self._log):
                for event in events:
                    answer = self._handle(event, Context())
                    if answer != {"batchItemFailures": []}:
                        raise RuntimeError(f"records came back: {answer}")

        return loop

    def close(self) -> None:
        """Close the connections of the service."""
        bootstrap.container().close()
        bootstrap.container.cache_clear()
