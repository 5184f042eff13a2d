"""One of every result that `Telemetry` writes, so that a test sees each word and each metric."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from els_core.application.audit_batches import AuditReport
from els_core.application.batch_status import BatchDescription
from els_core.application.check_health import HealthReport
from els_core.application.decision_step import ClosedBatch, StoreRejection
from els_core.application.expire_batches import SweepResult
from els_core.application.message_consumer import ConsumeResult, Retry
from els_core.application.messages import DeadLetter, PoisonMessage, QueueMessage
from els_core.application.ports.health import Backlog, QueueDepth
from els_core.application.ports.reading import BatchItems, BatchOverview, BatchOwner, BatchTimes
from els_core.application.post_commit import PublishResult
from els_core.application.provision_content import ArrivalAnswer, ProvisioningResult
from els_core.application.publish_outbox import RelayResult
from els_core.application.register_batch import (
    Opened,
    RegistrationAnswer,
    RegistrationResult,
    Rejected,
    Repeated,
)
from els_core.application.sentences import Move, Mover
from els_core.application.steer_batch import (
    Answered,
    BatchNotFound,
    CommandIdReused,
    SteeringAnswer,
    SteeringResult,
)
from els_core.domain.audit import Finding, FindingKind
from els_core.domain.batches import Batch, Status
from els_core.domain.commands import Close, CommandAnswer, CommandName, Refusal
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    Late,
    Outcome,
    Parked,
    Reason,
    Superseded,
)
from tests.factories import command_request, content, registration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.commands import CommandRequest
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration

OUTCOMES: dict[type, ArrivalAnswer] = {
    Assigned: Assigned("essay"),
    Failed: Failed("essay"),
    Excess: Excess(Reason.NO_AVAILABLE_SLOT),
    Late: Late(Reason.BATCH_TIMED_OUT),
    Duplicate: Duplicate(Assigned("essay")),
    Parked: Parked(),
    Superseded: Superseded(),
    StoreRejection: StoreRejection("refused"),
    Retry: Retry(),
}
ANSWERS: dict[type, RegistrationAnswer] = {
    Opened: Opened(),
    Repeated: Repeated(),
    Rejected: Rejected("reason"),
    StoreRejection: StoreRejection("refused"),
    Retry: Retry(),
}
COMMANDS: dict[str, SteeringAnswer] = {
    "applied": Answered(CommandAnswer("id", CommandName.CLOSE, None, Status.READY, 1, 2)),
    "refused": Answered(CommandAnswer("id", CommandName.CLOSE, Refusal.EMPTY, Status.OPEN, 1, 1)),
    "repeated": Answered(CommandAnswer("id", CommandName.CLOSE, None, Status.READY, 1, 2), is_repeated=True),
    "id_reused": CommandIdReused(),
    "not_found": BatchNotFound(),
    "rejected_by_store": StoreRejection("refused"),
    "not_reached": Retry(),
}
NOW = datetime(2026, 1, 31, tzinfo=UTC)
TERMINAL = [status for status in Status if status.is_terminal]
FAULT = ExternalServiceError("publish", service="EventBridge")
PUBLISHED = PublishResult(2, 1, (FAULT,), (timedelta(seconds=1),))


def closed(status: Status) -> ClosedBatch:
    return ClosedBatch(Batch("b", status, 1), registration(1).details.correlation_id)


def _consumed[Item, Report](items: Sequence[Item], report: Report) -> ConsumeResult[Item, Report]:
    """Return a result with one fault, one retried item, one dead letter sent and one refused."""
    letters = [
        DeadLetter(QueueMessage(name, "{"), PoisonMessage("BAD", "body", "bad")) for name in ("m1", "m2")
    ]
    return ConsumeResult(
        [(items, report)], letters, [FAULT], [items[0]], ["m2", "m3"], [timedelta(seconds=1)]
    )


def arrivals_consumed() -> ConsumeResult[Arrival, ProvisioningResult]:
    outcomes = list(OUTCOMES.values())
    items: list[Arrival] = [content(f"c{number}") for number in range(len(outcomes))]
    report = ProvisioningResult(outcomes, [closed(status) for status in TERMINAL], [PUBLISHED], 1, 1)
    return _consumed(items, report)


def registrations_consumed() -> ConsumeResult[Registration, RegistrationResult]:
    answers = list(ANSWERS.values())
    drained: dict[tuple[str, str], Outcome] = {("b0", "content:c"): Assigned("essay")}
    report = RegistrationResult(answers, drained, [("b1", "content:d")], [], [PUBLISHED])
    return _consumed([registration(1, f"b{number}") for number in range(len(answers))], report)


def commands_consumed() -> ConsumeResult[CommandRequest, SteeringResult]:
    answers = list(COMMANDS.values())
    report = SteeringResult(answers, [closed(Status.CANCELLED)], [PUBLISHED])
    return _consumed([command_request(Close()) for _ in answers], report)


def audit_report() -> AuditReport:
    findings = [Finding(kind, "b", "detail") for kind in FindingKind]
    sweep = SweepResult([closed(Status.TIMED_OUT)], 1, 1, [PUBLISHED])
    return AuditReport(
        findings, findings[:1], 1, sweep=sweep, relay=RelayResult(2, 1, [FAULT], [timedelta(seconds=1)])
    )


def health_report() -> HealthReport:
    backlog = Backlog(*range(1, 13))
    queues = [QueueDepth("queue", 1, 1, is_dead) for is_dead in (False, True)]
    return HealthReport(backlog, queues, is_redis_up=True, is_event_bus_up=True)


def description(status: Status) -> BatchDescription:
    correlation_id = None if status is Status.AWAITED else registration(1).details.correlation_id
    owner, times = BatchOwner(correlation_id=correlation_id), BatchTimes(NOW, NOW)
    overview = BatchOverview(Batch("b", status, 1), NOW, owner, times)
    return BatchDescription(overview, Move(Mover.ELS, "a sentence"), BatchItems([]))


def awaited() -> BatchDescription:
    return description(Status.AWAITED)


def migrate_and_fail() -> str:
    raise ConnectionError("no database")
