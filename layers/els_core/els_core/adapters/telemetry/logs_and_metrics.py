"""Logs and metrics of the functions: by outcome, never with a file name or a text.

One line stands for all arrivals of one batch, correlation and outcome, so that a bulk costs a few lines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from els_core.domain.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from els_core.application.audit_batches import AuditReport
    from els_core.application.expire_batches import SweepResult
    from els_core.application.message_consumer import ConsumeResult
    from els_core.application.post_commit import PublishResult
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.publish_outbox import RelayResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration
    from els_core.domain.events import BatchClosed

COMES_BACK = "comes_back"  # the outcome of what met a fault


class Telemetry:
    """Writes what a function did. Metrics are counted by outcome, never by batch id."""

    def __init__(self, service: str = "els", namespace: str = "EssayLifecycle") -> None:
        self.logger = Logger(service=service)
        self.metrics = Metrics(namespace=namespace, service=service)

    def provisioned(self, taken: ConsumeResult[Arrival, ProvisioningResult]) -> None:
        """Write what became of arrivals."""
        for arrivals, report in taken.reports:
            words = [type(outcome).__name__.lower() for outcome in report.outcomes]
            self._lines(
                "arrivals decided",
                (
                    (arrival.batch_id, arrival.correlation_id, word)
                    for arrival, word in zip(arrivals, words, strict=True)
                ),
            )
            self._counted(Counter(type(outcome).__name__ for outcome in report.outcomes))
            self._closed(report.closed)
            self._delivered([report.published])
        self._lines("arrivals come back", ((a.batch_id, a.correlation_id, COMES_BACK) for a in taken.retried))
        self._intake(taken)

    def registered(self, taken: ConsumeResult[Registration, RegistrationResult]) -> None:
        """Write what became of registrations, and of what was parked for them."""
        for registrations, report in taken.reports:
            correlations = {one.batch_id: one.details.correlation_id for one in registrations}
            for registration, answer in zip(registrations, report.answers, strict=True):
                word = type(answer).__name__.lower()
                correlation_id = registration.details.correlation_id
                self._lines("registration decided", [(registration.batch_id, correlation_id, word)])
            self._lines(
                "parked arrivals decided",
                (
                    (batch_id, correlations[batch_id], type(outcome).__name__.lower())
                    for (batch_id, _), outcome in report.drained.items()
                ),
            )
            self._counted(Counter(f"Registration{type(answer).__name__}" for answer in report.answers))
            self._counted(Counter(type(outcome).__name__ for outcome in report.drained.values()))
            self._lines(
                "parked arrivals stay parked",
                ((batch_id, correlations[batch_id], "parked") for batch_id, _ in report.undecidable),
            )
            self._counted({"ParkedStuck": len(report.undecidable)})
            self._closed(report.closed)
            self._delivered([report.published])
        self._lines(
            "registrations come back",
            ((one.batch_id, one.details.correlation_id, COMES_BACK) for one in taken.retried),
        )
        self._intake(taken)

    def expired(self, expired: SweepResult) -> None:
        """Write what a sweep did."""
        self._closed(expired.closed)
        self._delivered(expired.published)
        self._counted({"OverdueParked": expired.overdue_parked, "Purged": expired.purged})

    def relayed(self, relayed: RelayResult) -> None:
        """Write what the relay did."""
        self.logger.info("outbox relayed", sent=relayed.sent, unsent=relayed.unsent)
        for fault in relayed.faults:
            self._fault(fault)
        self._counted({"Relayed": relayed.sent, "OutboxLeft": relayed.unsent})

    def audited(self, audit: AuditReport) -> None:
        """Write what an audit found, a line for each finding."""
        for finding in audit.findings:
            self.logger.warning(
                "audit finding",
                batch_id=finding.batch_id,
                correlation_id=finding.correlation_id,
                outcome=finding.kind.value,
                detail=finding.detail,
                repaired=finding in audit.repaired,
            )
        self.logger.info("audit done", open_batches=audit.batches, unchecked=audit.unchecked)
        names = {kind: "Audit" + kind.value.title().replace("_", "") for kind in audit.counts()}
        self._counted({names[kind]: count for kind, count in audit.counts().items()})
        self._counted({"AuditHealed": len(audit.repaired), "AuditLeft": len(audit.open_findings)})
        if audit.sweep:
            self.expired(audit.sweep)
        if audit.relay:
            self.relayed(audit.relay)

    def _intake[Item, Report](self, taken: ConsumeResult[Item, Report]) -> None:
        for dead in taken.dead_letters:
            self.logger.warning(
                "record sent to the dead-letter queue",
                message_id=dead.message.message_id,
                error_code=dead.poison.error_code,
                field=dead.poison.field,
                reason=dead.poison.reason,
            )
        for fault in taken.faults:
            self._fault(fault)
        self._counted({"Poison": len(taken.dead_letters), "ComeBack": len(taken.batch_item_failures)})

    def _delivered(self, delivered: Iterable[PublishResult]) -> None:
        for one in delivered:
            for fault in one.faults:
                self._fault(fault)
            self._counted({"EventsSent": one.sent, "EventsLeft": one.unsent})

    def _closed(self, closed: Sequence[BatchClosed]) -> None:
        words = [one.snapshot.batch.status.value for one in closed]
        self._lines(
            "batch closed",
            ((one.batch_id, one.correlation_id, word) for one, word in zip(closed, words, strict=True)),
        )
        self._counted(Counter(f"Batch{word.title().replace('_', '')}" for word in words))

    def _fault(self, fault: Exception) -> None:
        code = fault.error_code if isinstance(fault, FaultError) else "UNEXPECTED"
        self.logger.error("fault", error_code=code, reason=str(fault), exc_info=fault)
        self._counted({"Faults": 1})

    def _lines(self, message: str, decided: Iterable[tuple[str, str, str]]) -> None:
        """Write a line for each batch, correlation and outcome, with how often it stands there."""
        for (batch_id, correlation_id, outcome), count in Counter(decided).items():
            self.logger.info(
                message, batch_id=batch_id, correlation_id=correlation_id, outcome=outcome, count=count
            )

    def _counted(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():  # zeros too: a graph without points tells nothing
            self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
