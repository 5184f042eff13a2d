"""Bare loop (a): the proposing script alone, one pipeline per chunk, through `redis`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from redis import Redis

from els_core.adapters.redis import keys
from els_core.adapters.redis.script_runner import Script
from els_core.domain.arrivals import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.domain.arrivals import Arrival

NOW, RETENTION = 1_769_860_800, 90 * 86_400


class Scripts:
    """Calls the script; nothing is durable."""

    def __init__(self, redis_url: str) -> None:
        self._client = Redis.from_url(redis_url, decode_responses=True)
        self._script = Script("propose")
        self._client.script_load(self._script.text)

    def over(self, chunks: Sequence[Sequence[Arrival]]) -> Callable[[], None]:
        """Return what is to be timed."""

        def loop() -> None:
            for chunk in chunks:
                self.propose(chunk)

        return loop

    def propose(self, chunk: Sequence[Arrival]) -> list[tuple[Arrival, str]]:
        """Return each arrival with the script's answer, grouped by batch."""
        groups: dict[str, list[Arrival]] = {}
        for arrival in chunk:
            groups.setdefault(arrival.batch_id, []).append(arrival)
        pipeline: Any = self._client.pipeline(transaction=False)
        for batch_id, group in groups.items():
            names = [f"batch:{{{batch_id}}}:{name}" for name in keys.ALL[:5]]
            argument = json.dumps([_argument(arrival) for arrival in group])
            pipeline.execute_command("EVALSHA", self._script.sha, 5, *names, argument, NOW, RETENTION)
        answers = pipeline.execute()
        return [
            pair
            for group, words in zip(groups.values(), answers, strict=True)
            for pair in zip(group, words, strict=True)
        ]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _argument(arrival: Arrival) -> list[str]:
    if isinstance(arrival, Content):
        known = [arrival.text_storage_id, arrival.original_file_name, arrival.file_upload_id]
        return ["content", arrival.text_storage_id, json.dumps(known)]
    return ["failure", arrival.identity]
