"""Where a process dies, or loses an answer: a gate that follows a plan, and the faults that it may make."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError
from tests.fakes.cooperative_scheduler import ProcessDied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.failpoints import Point


class Mishap(StrEnum):
    """What happens at a call."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    ANSWER_LOST = "answer lost"
    REFUSED = "refused"
    REPEATED = "done twice"  # the answer was lost, and the adapter asked again
    CONFLICT = "conflict"  # a deadlock whose victim this transaction is


DEATHS = (Mishap.DIES_BEFORE, Mishap.DIES_AFTER)
FAULTS = (Mishap.ANSWER_LOST, Mishap.REFUSED)


def mishaps_at(point: Point) -> tuple[Mishap, ...]:
    """Return what may happen at a call; looking at the clock cannot fail."""
    if not point.service:
        return DEATHS
    if point.is_in_transaction:
        return (*DEATHS, *FAULTS, Mishap.CONFLICT)
    return (*DEATHS, *FAULTS, Mishap.REPEATED)


class CrashGate:
    """Lets calls through and counts them; at those of its plan, by number, something happens."""

    def __init__(self, plan: Mapping[int, Mishap] | None = None) -> None:
        self.plan = plan or {}
        self.points: list[Point] = []

    def let[T](self, point: Point, call: Callable[[], T]) -> T:
        mishap = self.plan.get(len(self.points))
        self.points.append(point)
        return call() if mishap is None else happen(mishap, point, call)


def happen[T](mishap: Mishap, point: Point, call: Callable[[], T]) -> T:
    """Make the mishap happen at this call."""
    match mishap:
        case Mishap.DIES_BEFORE:
            raise ProcessDied
        case Mishap.DIES_AFTER:
            call()
            raise ProcessDied
        case Mishap.ANSWER_LOST:
            call()
            # Inside a transaction the connection is gone, and with it the transaction.
            lost = DisconnectedError if point.is_in_transaction else ExternalServiceError
            raise lost(point.call, service=point.service, details="the answer was lost")
        case Mishap.REFUSED:
            refused = CoordinationTimeoutError if point.is_in_transaction else ExternalServiceError
            raise refused(point.call, service=point.service, details="refused")
        case Mishap.REPEATED:
            call()
            return call()
        case Mishap.CONFLICT:
            raise ConflictError(point.call, service=point.service, details="SQLSTATE 40P01")
