"""Every metric of the service, and the word and the metric of every result.

Nothing else names a metric. All functions are total: mypy names the place when a result is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from typing import TYPE_CHECKING, assert_never

from els_core.application.decision_step import StoreRejection
from els_core.application.register_batch import Opened, Rejected, Repeated
from els_core.domain.audit import FindingKind
from els_core.domain.batches import Status
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked

if TYPE_CHECKING:
    from els_core.application.register_batch import RegistrationAnswer
    from els_core.domain.outcomes import Outcome


class Unit(StrEnum):
    """The units of CloudWatch that are in use."""

    COUNT = "Count"


@unique
class Metric(Enum):
    """A metric: its name in CloudWatch, its unit, and its meaning in one sentence."""

    # Arrivals, also those that were parked and are decided by the registration.
    ASSIGNED = "Assigned", Unit.COUNT, "Contents that got a slot."
    FAILED = "Failed", Unit.COUNT, "Validation failures that used up a slot."
    EXCESS = "Excess", Unit.COUNT, "Contents that found no slot."
    LATE = "Late", Unit.COUNT, "Validation failures that found no slot."
    DUPLICATE = "Duplicate", Unit.COUNT, "Arrivals that were delivered again."
    PARKED = "Parked", Unit.COUNT, "Arrivals that wait for the registration of their batch."
    REJECTED_BY_STORE = "RejectedByStore", Unit.COUNT, "Arrivals whose data Postgres does not accept."
    PARKED_UNDECIDABLE = (
        "ParkedUndecidable",
        Unit.COUNT,
        "Parked arrivals that a registration could not decide and that stay parked.",
    )

    REGISTRATION_OPENED = "RegistrationOpened", Unit.COUNT, "Registrations that opened a batch."
    REGISTRATION_REPEATED = "RegistrationRepeated", Unit.COUNT, "Registrations that were delivered again."
    REGISTRATION_REJECTED = (
        "RegistrationRejected",
        Unit.COUNT,
        "Registrations of a batch that is already registered with other data.",
    )
    REGISTRATION_REJECTED_BY_STORE = (
        "RegistrationRejectedByStore",
        Unit.COUNT,
        "Registrations whose data Postgres does not accept.",
    )

    BATCH_READY = "BatchReady", Unit.COUNT, "Batches closed with every slot used and one or more assigned."
    BATCH_FAILED = "BatchFailed", Unit.COUNT, "Batches closed with every slot used up by a failure."
    BATCH_TIMED_OUT = "BatchTimedOut", Unit.COUNT, "Batches closed because their deadline passed first."
    OVERDUE_PARKED = (
        "OverdueParked",
        Unit.COUNT,
        "Unregistered batches for which the sweep announced arrivals parked for too long.",
    )
    BATCHES_PURGED = "BatchesPurged", Unit.COUNT, "Batches deleted because their retention has passed."

    EVENTS_SENT = "EventsSent", Unit.COUNT, "Events that the bus accepted right after their commit."
    EVENTS_UNSENT = "EventsUnsent", Unit.COUNT, "Events that stay in the outbox after their commit."
    EVENTS_RELAYED = "EventsRelayed", Unit.COUNT, "Events from the outbox that the bus accepted."
    EVENTS_NOT_RELAYED = "EventsNotRelayed", Unit.COUNT, "Events from the outbox that the bus did not accept."

    MESSAGES_RETRIED = "MessagesRetried", Unit.COUNT, "Messages that SQS delivers again because of a fault."
    DEAD_LETTERED = "DeadLettered", Unit.COUNT, "Poison messages that the dead-letter queue accepted."
    FAULTS = "Faults", Unit.COUNT, "Faults of a store or of the code; every invocation adds a point."

    STATUS_FOUND = "StatusFound", Unit.COUNT, "Status requests for a batch that exists."
    STATUS_NOT_FOUND = "StatusNotFound", Unit.COUNT, "Status requests for a batch that does not exist."
    MIGRATION_SUCCEEDED = "MigrationSucceeded", Unit.COUNT, "Runs of the migrations that succeeded."
    MIGRATION_FAILED = "MigrationFailed", Unit.COUNT, "Runs of the migrations that failed."

    AUDIT_OVERDUE_OPEN = "AuditOverdueOpen", Unit.COUNT, "Batches found open after their deadline."
    AUDIT_PARKED_TOO_LONG = (
        "AuditParkedTooLong",
        Unit.COUNT,
        "Batches found with arrivals that are parked for too long.",
    )
    AUDIT_OUTBOX_TOO_OLD = "AuditOutboxTooOld", Unit.COUNT, "Events found in the outbox for too long."
    AUDIT_COUNTS_DIFFER = (
        "AuditCountsDiffer",
        Unit.COUNT,
        "Batches found with counters that differ from their slots.",
    )
    AUDIT_DIGEST_DIFFERS = (
        "AuditDigestDiffers",
        Unit.COUNT,
        "Batches found with a digest that differs from their slots.",
    )
    AUDIT_REDIS_FORGOT = "AuditRedisForgot", Unit.COUNT, "Open batches that Redis does not know."
    AUDIT_REDIS_DIFFERS = "AuditRedisDiffers", Unit.COUNT, "Open batches for which Redis and Postgres differ."
    AUDIT_UNCOMMITTED_PROPOSALS = (
        "AuditUncommittedProposals",
        Unit.COUNT,
        "Open batches with slots that Redis proposed and no transaction took.",
    )
    AUDIT_HEALED = "AuditHealed", Unit.COUNT, "Findings that the audit repaired."
    AUDIT_UNRESOLVED = "AuditUnresolved", Unit.COUNT, "Findings that remain after the audit."

    def __init__(self, metric_name: str, unit: Unit, meaning: str) -> None:
        self.metric_name = metric_name
        self.unit = unit
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Signal:
    """How a result is shown: the word in its log line and the metric that counts it."""

    word: str
    metric: Metric


def of_arrival(outcome: Outcome | StoreRejection) -> Signal:
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
        case Duplicate():
            signal = Signal("duplicate", Metric.DUPLICATE)
        case Parked():
            signal = Signal("parked", Metric.PARKED)
        case StoreRejection():
            signal = Signal("rejected_by_store", Metric.REJECTED_BY_STORE)
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
        case _:
            assert_never(answer)


def of_closed_batch(status: Status) -> Signal:
    """Return how a closed batch is shown; raise `ValueError` for a status that is not terminal."""
    match status:
        case Status.READY:
            return Signal(status.value, Metric.BATCH_READY)
        case Status.FAILED:
            return Signal(status.value, Metric.BATCH_FAILED)
        case Status.TIMED_OUT:
            return Signal(status.value, Metric.BATCH_TIMED_OUT)
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
        case _:
            assert_never(kind)
    return Signal(kind.value, metric)
