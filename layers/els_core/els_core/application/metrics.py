"""Every metric of the service. Nothing else names one."""

from __future__ import annotations

from enum import Enum, StrEnum, unique


class MetricUnit(StrEnum):
    """The units of CloudWatch that are in use."""

    COUNT = "Count"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"


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

    RACES_LOST = (
        "RacesLost",
        MetricUnit.COUNT,
        "Arrivals for which Postgres gave another slot than Redis proposed, or none.",
    )
    REBUILDS = (
        "Rebuilds",
        MetricUnit.COUNT,
        "Open batches that Redis had forgotten or had wrong, written again.",
    )
    ARRIVAL_LATENCY = (
        "ArrivalLatency",
        MetricUnit.MILLISECONDS,
        "Time from the arrival of a message in its queue until it is decided and committed.",
    )
    RESULT_LATENCY = (
        "ResultLatency",
        MetricUnit.MILLISECONDS,
        "Time from the end of a batch until the bus first accepted its final result.",
    )
    TIME_IN_REDIS = "TimeInRedis", MetricUnit.MILLISECONDS, "Time that an invocation waited for Redis."
    TIME_IN_POSTGRES = (
        "TimeInPostgres",
        MetricUnit.MILLISECONDS,
        "Time that an invocation waited for Postgres.",
    )

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
    AUDIT_REPAIRED = "AuditRepaired", MetricUnit.COUNT, "Findings that the audit repaired."
    AUDIT_UNRESOLVED = "AuditUnresolved", MetricUnit.COUNT, "Findings that remain after the audit."

    # Gauges of the health check. A store that does not answer has no gauges but its 0 of up.
    HEALTH_CHECKS = "HealthChecks", MetricUnit.COUNT, "Health checks that ran; their silence is an alarm."
    POSTGRES_UP = "PostgresUp", MetricUnit.COUNT, "Whether Postgres answers: 1, else 0."
    REDIS_UP = "RedisUp", MetricUnit.COUNT, "Whether Redis answers: 1, else 0."
    EVENT_BUS_UP = "EventBusUp", MetricUnit.COUNT, "Whether the outbound bus exists: 1, else 0."
    SQS_UP = "SqsUp", MetricUnit.COUNT, "Whether every queue can be read: 1, else 0."
    OPEN_BATCHES = "OpenBatches", MetricUnit.COUNT, "Batches that take arrivals."
    LATE_BATCHES = "LateBatches", MetricUnit.COUNT, "Batches that are open past their deadline."
    STUCK_BATCHES = (
        "StuckBatches",
        MetricUnit.COUNT,
        "Batches that wait too long for the service itself.",
    )
    OLDEST_OPEN_BATCH = "OldestOpenBatch", MetricUnit.SECONDS, "Age of the oldest open batch."
    PARKED_ARRIVALS = "ParkedArrivals", MetricUnit.COUNT, "Arrivals that are parked now."
    OLDEST_PARKED_ARRIVAL = "OldestParkedArrival", MetricUnit.SECONDS, "Age of the oldest parked arrival."
    OUTBOX_EVENTS = "OutboxEvents", MetricUnit.COUNT, "Events that wait in the outbox."
    OLDEST_OUTBOX_EVENT = "OldestOutboxEvent", MetricUnit.SECONDS, "Age of the oldest event in the outbox."
    UNSENT_RESULTS = "UnsentResults", MetricUnit.COUNT, "Final results that wait in the outbox."
    OLDEST_UNSENT_RESULT = "OldestUnsentResult", MetricUnit.SECONDS, "Age of the oldest unsent final result."
    SWEEP_AGE = "SweepAge", MetricUnit.SECONDS, "Time since the sweep last ran to its end."
    RELAY_AGE = "RelayAge", MetricUnit.SECONDS, "Time since the relay last ran to its end."
    # These three have the dimension queue.
    MESSAGES_WAITING = "MessagesWaiting", MetricUnit.COUNT, "Messages of a queue that wait to be received."
    MESSAGES_IN_FLIGHT = "MessagesInFlight", MetricUnit.COUNT, "Messages of a queue that are being processed."
    DEAD_LETTERS = "DeadLetters", MetricUnit.COUNT, "Messages in the dead-letter queue of a queue."

    def __init__(self, metric_name: str, unit: MetricUnit, meaning: str) -> None:
        self.metric_name = metric_name
        self.unit = unit
        self.meaning = meaning

    # Each member is one object; Enum's own hash is a call of Python at every look-up.
    __hash__ = object.__hash__
