"""The word and the metric of every result. All functions are total: mypy names what a new result lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.metrics import Metric
from els_core.application.register_batch import Opened, Rejected, Repeated
from els_core.application.steer_batch import Answered, BatchNotFound, CommandIdReused
from els_core.domain.audit import FindingKind
from els_core.domain.batches import Status
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Superseded

if TYPE_CHECKING:
    from els_core.application.provision_content import ArrivalAnswer
    from els_core.application.register_batch import RegistrationAnswer
    from els_core.application.steer_batch import SteeringAnswer


@dataclass(frozen=True, slots=True)
class Signal:
    """How a result is shown: the word in its log line and the metric that counts it."""

    word: str
    metric: Metric


def of_arrival(outcome: ArrivalAnswer) -> Signal:
    """Return how the outcome of an arrival is shown."""
    match outcome:
        case Assigned():
            signal = Signal("assigned", Metric.ASSIGNED)
        case Failed():
            signal = Signal("failed", Metric.FAILED)
        case Excess():
            signal = Signal("excess", Metric.EXCESS)
        case Late():
            signal = Signal("late", Metric.LATE)
        case Superseded():
            signal = Signal("superseded", Metric.SUPERSEDED)
        case Duplicate():
            signal = Signal("duplicate", Metric.DUPLICATE)
        case Parked():
            signal = Signal("parked", Metric.PARKED)
        case StoreRejection():
            signal = Signal("rejected_by_store", Metric.REJECTED_BY_STORE)
        case Retry():
            signal = Signal("not_reached", Metric.NOT_REACHED)
        case _:
            assert_never(outcome)
    return signal


def of_registration(answer: RegistrationAnswer) -> Signal:
    """Return how the answer to a registration is shown."""
    match answer:
        case Opened():
            return Signal("opened", Metric.REGISTRATION_OPENED)
        case Repeated():
            return Signal("repeated", Metric.REGISTRATION_REPEATED)
        case Rejected():
            return Signal("rejected", Metric.REGISTRATION_REJECTED)
        case StoreRejection():
            return Signal("rejected_by_store", Metric.REGISTRATION_REJECTED_BY_STORE)
        case Retry():
            return Signal("not_reached", Metric.REGISTRATION_NOT_REACHED)
        case _:
            assert_never(answer)


def of_command(answer: SteeringAnswer) -> Signal:
    """Return how the answer to a command is shown."""
    match answer:
        case Answered(is_repeated=True):
            signal = Signal("repeated", Metric.COMMAND_REPEATED)
        case Answered(found):
            refused = Signal("refused", Metric.COMMAND_REFUSED)
            signal = refused if found.refusal else Signal("applied", Metric.COMMAND_APPLIED)
        case CommandIdReused():
            signal = Signal("id_reused", Metric.COMMAND_ID_REUSED)
        case BatchNotFound():
            signal = Signal("not_found", Metric.COMMAND_NOT_FOUND)
        case StoreRejection():
            signal = Signal("rejected_by_store", Metric.COMMAND_REJECTED_BY_STORE)
        case Retry():
            signal = Signal("not_reached", Metric.COMMAND_NOT_REACHED)
        case _:
            assert_never(answer)
    return signal


def of_closed_batch(status: Status) -> Signal:
    """Return how a closed batch is shown; raise `ValueError` for a status that is not terminal."""
    match status:
        case Status.READY:
            return Signal(status.value, Metric.BATCH_READY)
        case Status.FAILED:
            return Signal(status.value, Metric.BATCH_FAILED)
        case Status.TIMED_OUT:
            return Signal(status.value, Metric.BATCH_TIMED_OUT)
        case Status.CANCELLED:
            return Signal(status.value, Metric.BATCH_CANCELLED)
        case Status.AWAITED | Status.OPEN:
            raise ValueError(f"a closed batch has the status {status.value!r}, which is not terminal")
        case _:
            assert_never(status)


def of_finding(kind: FindingKind) -> Signal:
    """Return how a finding of the audit is shown."""
    match kind:
        case FindingKind.OVERDUE_OPEN:
            metric = Metric.AUDIT_OVERDUE_OPEN
        case FindingKind.PARKED_TOO_LONG:
            metric = Metric.AUDIT_PARKED_TOO_LONG
        case FindingKind.OUTBOX_TOO_OLD:
            metric = Metric.AUDIT_OUTBOX_TOO_OLD
        case FindingKind.COUNTS_DIFFER:
            metric = Metric.AUDIT_COUNTS_DIFFER
        case FindingKind.DIGEST_DIFFERS:
            metric = Metric.AUDIT_DIGEST_DIFFERS
        case FindingKind.REDIS_FORGOT:
            metric = Metric.AUDIT_REDIS_FORGOT
        case FindingKind.REDIS_DIFFERS:
            metric = Metric.AUDIT_REDIS_DIFFERS
        case FindingKind.UNCOMMITTED_PROPOSALS:
            metric = Metric.AUDIT_UNCOMMITTED_PROPOSALS
        case FindingKind.EVENT_BUS_MISSING:
            metric = Metric.AUDIT_EVENT_BUS_MISSING
        case _:
            assert_never(kind)
    return Signal(kind.value, metric)
