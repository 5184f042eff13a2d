"""What was put into the outbox. It travels with the COMMIT, or when somebody reads it before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, overload

from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from uuid import UUID

    from els_core.adapters.postgres.calls import Call
    from els_core.adapters.postgres.pipeline import Pipeline


class Enqueued(Sequence[OutboxMessage]):
    """The messages with their positions. Reading them before the COMMIT costs a round trip."""

    def __init__(self, messages: Sequence[OutboxMessage], call: Call, pipeline: Pipeline) -> None:
        self._messages = messages
        self._call = call
        self._pipeline = pipeline

    @overload
    def __getitem__(self, index: int) -> OutboxMessage: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[OutboxMessage]: ...
    def __getitem__(self, index: int | slice) -> OutboxMessage | Sequence[OutboxMessage]:
        return self._inserted[index]

    def __len__(self) -> int:
        return len(self._inserted)

    @cached_property
    def _inserted(self) -> list[OutboxMessage]:
        if self._call.result is None:
            self._pipeline.send()
        if self._call.result is None:
            raise LookupError("the outbox rows were not written: their transaction was rolled back")
        positions: dict[UUID, int] = {row[0]: row[1] for row in self._call.result.rows}
        return [
            replace(message, position=positions[message.event_id])
            for message in self._messages
            if message.event_id in positions
        ]
