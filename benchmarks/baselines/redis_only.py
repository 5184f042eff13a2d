"""Baseline (a): the calls of the proposing script alone, one pipeline per SQS batch, through `redis`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

from redis import Redis

from els_core.adapters.redis import keys
from els_core.adapters.redis.script_runner import Script
from els_core.domain.arrivals import Content, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.domain.arrivals import Arrival

NOW, RETENTION = 1_769_860_800, 90 * 86_400  # seconds


class RedisOnly:
    """Proposes slots and stores nothing durably."""

    def __init__(self, redis_url: str) -> None:
        self._client = Redis.from_url(redis_url, decode_responses=True)
        self._script = Script("propose")
        self._client.script_load(self._script.text)

    def prepare(self, sqs_batches: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return the call that is timed."""

        def run() -> None:
            for arrivals in sqs_batches:
                self.propose(arrivals)

        return run

    def propose(self, arrivals: Sequence[Arrival]) -> list[tuple[Arrival, str]]:
        """Return each arrival with the answer of the script, grouped by batch."""
        groups: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            groups.setdefault(arrival.batch_id, []).append(arrival)
        pipeline: Any = self._client.pipeline(transaction=False)
        for batch_id, group in groups.items():
            names = [f"batch:{{{batch_id}}}:{name}" for name in keys.ALL[:5]]
            argument = json.dumps([_argument(arrival) for arrival in group])
            pipeline.execute_command("EVALSHA", self._script.sha, 5, *names, argument, NOW, RETENTION)
        return [
            pair
            for group, answers in zip(groups.values(), pipeline.execute(), strict=True)
            for pair in zip(group, answers[1:], strict=True)  # the version comes first
        ]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _argument(arrival: Arrival) -> list[str]:
    match arrival:
        case Content():
            stored = [arrival.text_storage_id, arrival.original_file_name, arrival.file_upload_id]
            return ["content", arrival.text_storage_id, json.dumps(stored)]
        case Failure():
            return ["failure", arrival.identity]
        case _:
            assert_never(arrival)
