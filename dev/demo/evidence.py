"""What the demo can observe of its batches: rows of Postgres, keys of Redis, events and queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev.demo.workload import Batch, Workload
    from dev.deploy.stack import ReceivedEvent


@dataclass(frozen=True)
class Slot:
    """A row of a slot."""

    essay_id: str
    status: str
    text_id: str | None
    failure: str | None
    in_time: bool | None


@dataclass(frozen=True)
class BatchState:
    """A batch as Postgres holds it."""

    batch_id: str
    status: str
    version: int
    expected: int
    assigned: int
    failed: int
    seconds_left: float | None
    closed_after_deadline: bool | None
    changed_at: float
    slots: tuple[Slot, ...]
    late: tuple[str, ...]
    excess: dict[str, str]
    parked: tuple[str, ...]
    unsent: int

    @property
    def is_terminal(self) -> bool:
        """Tell whether the batch is closed."""
        return self.status in {"ready", "failed", "timed_out"}

    @property
    def assignments(self) -> set[tuple[str, str]]:
        """Return the assigned slots as pairs of essay id and text storage id."""
        return {(slot.essay_id, slot.text_id) for slot in self.slots if slot.text_id}


@dataclass(frozen=True)
class RedisSlots:
    """The slots of one batch as Redis knows them."""

    free: frozenset[str]
    contents: Mapping[str, str]  # text storage id -> essay id
    failures: Mapping[str, str]  # identity of the failure -> essay id


@dataclass(frozen=True)
class RedisEvidence:
    """What Redis knew: of open batches while no message was in flight, and of all batches at the end.

    `flushed_at` is the moment at which its data was deleted, in seconds since 1970 by the clock of Postgres.
    """

    flushed_at: float
    open_batches: Sequence[tuple[BatchState, RedisSlots]]
    metadata: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Evidence:
    """Everything that is known at the end of the demo; dead letters are given by their error codes."""

    workload: Workload
    states: Mapping[str, BatchState]
    redis: RedisEvidence
    received: Sequence[ReceivedEvent]
    queued: int
    dead_letters: Sequence[str]

    def events(self, batch: Batch, *types: str) -> list[ReceivedEvent]:
        """Return the events of a batch of some types."""
        return [e for e in self.received if e.data["batch_id"] == batch.batch_id and e.detail_type in types]
