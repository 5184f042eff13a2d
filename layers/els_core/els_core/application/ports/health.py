"""The stores and the queues as the health check reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in Postgres, counted in one snapshot. Ages are in seconds, 0 where nothing waits.

    A late batch is open past its deadline. A stuck one waits for the service itself: it is late, or its final
    result is not sent, or arrivals stay parked for it although it is registered, each for longer than the
    threshold. The age of a job is None when it has never run to its end.
    """

    open_batches: int
    late_batches: int
    stuck_batches: int
    oldest_open_seconds: float
    parked_arrivals: int
    oldest_parked_seconds: float
    outbox_events: int
    oldest_outbox_seconds: float
    unsent_results: int
    oldest_unsent_result_seconds: float
    sweep_age_seconds: float | None
    relay_age_seconds: float | None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages of a queue wait, and how many are being processed; both are approximate in SQS."""

    name: str
    waiting: int
    in_flight: int
    is_dead_letter_queue: bool


class HealthReader(Protocol):
    """Postgres. Raises what `Repository` raises."""

    def backlog(self, stuck_after: timedelta) -> Backlog:
        """Count what waits; a batch is stuck when it has waited for longer than `stuck_after`."""
        ...


class QueueReader(Protocol):
    """SQS."""

    def depths(self) -> Sequence[QueueDepth]:
        """Return the depth of every configured queue, in their order.

        Raises `ExternalServiceError(service="SQS")` when one cannot be read.
        """
        ...
