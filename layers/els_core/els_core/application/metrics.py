"""Every metric of the service. Nothing else names a metric."""

from __future__ import annotations

from enum import Enum, StrEnum, unique


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
    SUPERSEDED = (
        "Superseded",
        MetricUnit.COUNT,
        "Arrivals that were superseded before they came, or by another one of their call.",
    )
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
    BATCH_CANCELLED = "BatchesCancelled", MetricUnit.COUNT, "Batches closed by a command to cancel them."

    COMMAND_APPLIED = "CommandApplied", MetricUnit.COUNT, "Commands that were applied."
    COMMAND_REFUSED = "CommandRefused", MetricUnit.COUNT, "Commands that the state of the batch refused."
    COMMAND_REPEATED = "CommandRepeated", MetricUnit.COUNT, "Commands that were delivered again."
    COMMAND_ID_REUSED = (
        "CommandIdReused",
        MetricUnit.COUNT,
        "Commands whose id had come with other arguments.",
    )
    COMMAND_NOT_FOUND = (
        "CommandNotFound",
        MetricUnit.COUNT,
        "Commands for a batch that the caller may not see.",
    )
    COMMAND_REJECTED_BY_STORE = (
        "CommandRejectedByStore",
        MetricUnit.COUNT,
        "Commands whose data Postgres does not accept.",
    )
    COMMAND_NOT_REACHED = (
        "CommandNotReached",
        MetricUnit.COUNT,
        "Commands for which the invocation had no time; retried.",
    )

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
