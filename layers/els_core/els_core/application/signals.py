"""Every metric of the service, and the word and the metric of every result.

Nothing else names a metric. All functions are total: mypy names the place when a result is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from typing import TYPE_CHECKING, assert_never

from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.register_batch import Opened, Rejected, Repeated
from els_core.domain.audit import FindingKind
from els_core.domain.batches import Status
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked

if TYPE_CHECKING:
    from els_core.application.provision_content import ArrivalAnswer
    from els_core.application.register_batch import RegistrationAnswer


class MetricUnit(StrEnum):
    """The units of CloudWatch that are in use."""

    COUNT = "Count"


@unique
class Metric(Enum):
    """A metric: its name in CloudWatch, its unit, and its meaning in one sentence."""

    # Arrivals, also those that were parked and are decided by the registration.
    ASSIGNED = "Assigned", MetricUnit.COUNT, "Contents that got a slot."
    FAILED = "Failed", MetricUnit.COUNT, "Validation failures that used up a slot."
    EXCESS = "Excess", MetricUnit.COUNT, "Contents that found no slot."
    LATE = "Late", MetricUnit.COUNT, "Validation failures that found no slot."
    DUPLICATE = "Duplicate", MetricUnit.COUNT, "Arrivals that were delivered again."
    PARKED = "Parked", MetricUnit.COUNT, "Arrivals that wait for the registration of their batch."
    REJECTED_BY_STORE = "RejectedByStore", MetricUnit.COUNT, "Arrivals whose data Postgres does not accept."
    PARKED_UNDECIDABLE = (
        "ParkedUndecidable",
        MetricUnit.COUNT,
        "Parked arrivals that a registration could not decide and that stay parked.",
    )

    REGISTRATION_OPENED = "RegistrationOpened", MetricUnit.COUNT, "Registrations that opened a batch."
    REGISTRATION_REPEATED = (
        "RegistrationRepeated",
        MetricUnit.COUNT,
        "Registrations that were delivered again.",
    )
    REGISTRATION_REJECTED = (
        "RegistrationRejected",
        MetricUnit.COUNT,
        "Registrations of a batch that is already registered with other data.",
    )
    REGISTRATION_REJECTED_BY_STORE = (
        "RegistrationRejectedByStore",
        MetricUnit.COUNT,
        "Registrations whose data Postgres does not accept.",
    )

    BATCH_READY = (
        "BatchReady",
        MetricUnit.COUNT,
        "Batches closed with every slot used and one or more assigned.",
    )
    BATCH_FAILED = "BatchFailed", MetricUnit.COUNT, "Batches closed with every slot used up by a failure."
    BATCH_TIMED_OUT = "BatchTimedOut", MetricUnit.COUNT, "Batches closed because their deadline passed first."
    OVERDUE_PARKED = (
        "OverdueParked",
        MetricUnit.COUNT,
        "Unregistered batches for which the sweep announced arrivals parked for too long.",
    )
    BATCHES_PURGED = "BatchesPurged", MetricUnit.COUNT, "Batches deleted because their retention has passed."

    EVENTS_SENT = "EventsSent", MetricUnit.COUNT, "Events that the bus accepted right after their commit."
    EVENTS_UNSENT = "EventsUnsent", MetricUnit.COUNT, "Events that stay in the outbox after their commit."
    EVENTS_RELAYED = "EventsRelayed", MetricUnit.COUNT, "Events from the outbox that the bus accepted."
    EVENTS_NOT_RELAYED = (
        "EventsNotRelayed",
        MetricUnit.COUNT,
        "Events from the outbox that the bus did not accept.",
    )

    MESSAGES_RETRIED = (
        "MessagesRetried",
        MetricUnit.COUNT,
        "Messages that SQS delivers again because of a fault.",
    )
    DEAD_LETTERED = "DeadLettered", MetricUnit.COUNT, "Poison messages that the dead-letter queue accepted."
    NOT_REACHED = "NotReached", MetricUnit.COUNT, "Arrivals for which the invocation had no time; retried."
    REGISTRATION_NOT_REACHED = (
        "RegistrationNotReached",
        MetricUnit.COUNT,
        "Registrations for which the invocation had no time; retried.",
    )
    FAULTS = "Faults", MetricUnit.COUNT, "Faults of a store or of the code; every invocation adds a point."

    STATUS_FOUND = "StatusFound", MetricUnit.COUNT, "Status requests for a batch that exists."
    STATUS_NOT_FOUND = "StatusNotFound", MetricUnit.COUNT, "Status requests for a batch that does not exist."
    MIGRATION_SUCCEEDED = "MigrationSucceeded", MetricUnit.COUNT, "Runs of the migrations that succeeded."
    MIGRATION_FAILED = "MigrationFailed", MetricUnit.COUNT, "Runs of the migrations that failed."

    AUDIT_OVERDUE_OPEN = "AuditOverdueOpen", MetricUnit.COUNT, "Batches found open after their deadline."
    AUDIT_PARKED_TOO_LONG = (
        "AuditParkedTooLong",
        MetricUnit.COUNT,
        "Batches found with arrivals that are parked for too long.",
    )
    AUDIT_OUTBOX_TOO_OLD = "AuditOutboxTooOld", MetricUnit.COUNT, "Events found in the outbox for too long."
    AUDIT_COUNTS_DIFFER = (
        "AuditCountsDiffer",
        MetricUnit.COUNT,
        "Batches found with counters that differ from their slots.",
    )
    AUDIT_DIGEST_DIFFERS = (
        "AuditDigestDiffers",
        MetricUnit.COUNT,
        "Batches found with a digest that differs from their slots.",
    )
    AUDIT_REDIS_FORGOT = "AuditRedisForgot", MetricUnit.COUNT, "Open batches that Redis does not know."
    AUDIT_REDIS_DIFFERS = (
        "AuditRedisDiffers",
        MetricUnit.COUNT,
        "Open batches for which Redis and Postgres differ.",
    )
    AUDIT_UNCOMMITTED_PROPOSALS = (
        "AuditUncommittedProposals",
        MetricUnit.COUNT,
        "Open batches with slots that Redis proposed and no transaction took.",
    )
    AUDIT_EVENT_BUS_MISSING = (
        "AuditEventBusMissing",
        MetricUnit.COUNT,
        "Audits that found no outbound event bus.",
    )
    AUDIT_HEALED = "AuditHealed", MetricUnit.COUNT, "Findings that the audit repaired."
    AUDIT_UNRESOLVED = "AuditUnresolved", MetricUnit.COUNT, "Findings that remain after the audit."

    def __init__(self, metric_name: str, unit: MetricUnit, meaning: str) -> None:
        self.metric_name = metric_name
        self.unit = unit
        self.meaning = meaning


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
        case FindingKind.EVENT_BUS_MISSING:
            metric = Metric.AUDIT_EVENT_BUS_MISSING
        case _:
            assert_never(kind)
    return Signal(kind.value, metric)
