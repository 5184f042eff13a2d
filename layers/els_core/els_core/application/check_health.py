"""Look at the whole system from outside: what waits, for how long, and which of its stores answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.domain.errors import EventBusMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.ports.coordinator import CoordinatorInspector
    from els_core.application.ports.health import Backlog, HealthReader, QueueDepth, QueueReader
    from els_core.application.ports.messaging import EventBusProbe

REDIS_ANSWERS = "reach_redis"  # the name under which it is kept
STUCK_AFTER = timedelta(minutes=3)  # the sweep and the relay run each minute


@dataclass(slots=True)
class HealthReport:
    """What the check found. `backlog` and `queues` are None when Postgres and SQS did not answer."""

    backlog: Backlog | None = None
    queues: Sequence[QueueDepth] | None = None
    is_redis_up: bool = False
    is_event_bus_up: bool = False
    faults: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """A store that does not answer is a finding, never an exception.

    `note_run` keeps when Redis last answered, for the sentence of the status.
    """

    health_reader: HealthReader
    inspector: CoordinatorInspector
    bus: EventBusProbe
    queues: QueueReader
    note_run: Callable[[str], object]

    def run(self) -> HealthReport:
        """Ask everything once; what fails is a fault of the report, and the rest is asked all the same."""
        report = HealthReport()
        report.backlog = _ask(lambda: self.health_reader.backlog(STUCK_AFTER), report)
        report.is_redis_up = bool(_ask(self._redis_answers, report))
        if report.is_redis_up and report.backlog is not None:
            _ask(lambda: self.note_run(REDIS_ANSWERS), report)
        report.is_event_bus_up = bool(_ask(self._bus_exists, report))
        report.queues = _ask(self.queues.depths, report)
        return report

    def _redis_answers(self) -> bool:
        self.inspector.ping()
        return True

    def _bus_exists(self) -> bool:
        if not self.bus.exists():
            raise EventBusMissingError("check health", service="EventBridge")
        return True


def _ask[Answer](question: Callable[[], Answer], report: HealthReport) -> Answer | None:
    """Return the answer, or None with the fault in the report."""
    try:
        return question()
    except Exception as fault:  # noqa: BLE001 - whatever it is, the others must still be asked
        report.faults.append(fault)
        return None
