"""The faults that can be injected at a failpoint, and an injector that follows a plan."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError
from tests.fakes.cooperative_scheduler import ProcessKilled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.failpoints import Failpoint


class Fault(StrEnum):
    """What happens at a call."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    ANSWER_LOST = "answer lost"
    REFUSED = "refused"
    REPEATED = "executed twice"  # the answer was lost, and the adapter retried
    CONFLICT = "conflict"  # a deadlock whose victim this transaction is


CRASHES = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
ERRORS = (Fault.ANSWER_LOST, Fault.REFUSED)


def faults_at(failpoint: Failpoint) -> tuple[Fault, ...]:
    """Return the faults that are possible at a failpoint; reading the clock cannot fail."""
    if not failpoint.service:
        return CRASHES
    if failpoint.is_in_transaction:
        return (*CRASHES, *ERRORS, Fault.CONFLICT)
    return (*CRASHES, *ERRORS, Fault.REPEATED)


class PlannedFaults:
    """Records the failpoints that are passed, and injects the faults of `plan` by their numbers."""

    def __init__(self, plan: Mapping[int, Fault] | None = None) -> None:
        self.plan = plan or {}
        self.passed: list[Failpoint] = []

    def run[T](self, failpoint: Failpoint, call: Callable[[], T]) -> T:
        fault = self.plan.get(len(self.passed))
        self.passed.append(failpoint)
        return call() if fault is None else inject(fault, failpoint, call)


def inject[T](fault: Fault, failpoint: Failpoint, call: Callable[[], T]) -> T:
    """Make the call with this fault."""
    match fault:
        case Fault.KILLED_BEFORE:
            raise ProcessKilled
        case Fault.KILLED_AFTER:
            call()
            raise ProcessKilled
        case Fault.ANSWER_LOST:
            call()
            # Inside a transaction the connection is lost, and with it the transaction.
            lost = DisconnectedError if failpoint.is_in_transaction else ExternalServiceError
            raise lost(failpoint.call, service=failpoint.service, details="the answer was lost")
        case Fault.REFUSED:
            refused = CoordinationTimeoutError if failpoint.is_in_transaction else ExternalServiceError
            raise refused(failpoint.call, service=failpoint.service, details="refused")
        case Fault.REPEATED:
            call()
            return call()
        case Fault.CONFLICT:
            raise ConflictError(failpoint.call, service=failpoint.service, details="SQLSTATE 40P01")
        case _:
            assert_never(fault)
