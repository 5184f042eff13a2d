"""Logs and metrics of the functions: by outcome, never with a file name or a text.

One line stands for all arrivals with the same batch, correlation id and outcome, so a bulk costs few lines.
"""

from __future__ import annotations

from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from els_core.adapters.telemetry.grouped_lines import LINES, GroupedLines
from els_core.adapters.telemetry.tracing import invocation_span
from els_core.application.signals import (
    Metric,
    of_arrival,
    of_closed_batch,
    of_finding,
    of_registration,
)
from els_core.domain.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from opentelemetry.trace import SpanKind

    from els_core.application.audit_batches import AuditReport
    from els_core.application.batch_status import BatchDescription
    from els_core.application.decision_step import ClosedBatch
    from els_core.application.expire_batches import SweepResult
    from els_core.application.message_consumer import ConsumeResult
    from els_core.application.post_commit import PublishResult
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.publish_outbox import RelayResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration

    type Handler[Answer] = Callable[[dict[str, Any], LambdaContext], Answer]

RETRIED = "retried"  # the outcome of an item that a fault stopped


class Telemetry:
    """Writes what one function did. Metrics are counted by outcome, never by batch id."""

    def __init__(self, service: str = "els", namespace: str = "EssayLifecycle") -> None:
        self.logger = Logger(service=service, logger_formatter=GroupedLines())
        self.metrics = Metrics(namespace=namespace, service=service)

    def instrumented[Answer](self, name: str, kind: SpanKind) -> Callable[[Handler[Answer]], Handler[Answer]]:
        """Decorate a handler with a span, Lambda's context in each log line, and a flush of its metrics.

        An exception is logged, counted and raised again; the metrics are flushed then too.
        """

        def decorate(handler: Handler[Answer]) -> Handler[Answer]:
            @wraps(handler)
            @self.logger.inject_lambda_context
            @self.metrics.log_metrics
            def handle(event: dict[str, Any], context: LambdaContext) -> Answer:
                self._count({Metric.FAULTS: 0})  # a point per invocation, so that an alarm has data
                with invocation_span(name, kind, event):
                    try:
                        return handler(event, context)
                    except Exception as fault:
                        self._fault(fault)
                        raise

            return handle

        return decorate

    def arrivals_consumed(self, consumed: ConsumeResult[Arrival, ProvisioningResult]) -> None:
        """Write what became of arrivals."""
        for arrivals, report in consumed.reports:
            signals = [of_arrival(outcome) for outcome in report.outcomes]
            self._lines(
                "arrivals decided",
                (
                    (arrival.batch_id, arrival.correlation_id, signal.word)
                    for arrival, signal in zip(arrivals, signals, strict=True)
                ),
            )
            self._count(Counter(signal.metric for signal in signals))
            self._closed(report.closed)
            self._published(report.published)
        self._lines(
            "arrivals retried",
            ((arrival.batch_id, arrival.correlation_id, RETRIED) for arrival in consumed.retried),
        )
        self._consumed(consumed)

    def registrations_consumed(self, consumed: ConsumeResult[Registration, RegistrationResult]) -> None:
        """Write what became of registrations, and of the arrivals that were parked for them."""
        for registrations, report in consumed.reports:
            for registration, answer in zip(registrations, report.answers, strict=True):
                signal = of_registration(answer)
                line = (registration.batch_id, registration.details.correlation_id, signal.word)
                self._lines("registration decided", [line])
                self._count({signal.metric: 1})
            correlations = {one.batch_id: one.details.correlation_id for one in registrations}
            self._parked(report, correlations)
            self._closed(report.closed)
            self._published(report.published)
        self._lines(
            "registrations retried",
            ((one.batch_id, one.details.correlation_id, RETRIED) for one in consumed.retried),
        )
        self._consumed(consumed)

    def sweep_finished(self, sweep: SweepResult) -> None:
        """Write what a sweep did."""
        self._closed(sweep.closed)
        self._published(sweep.published)
        for fault in sweep.faults:
            self._fault(fault)
        self._count({Metric.OVERDUE_PARKED: sweep.overdue_parked, Metric.BATCHES_PURGED: sweep.purged})

    def outbox_published(self, relay: RelayResult) -> None:
        """Write what the relay did."""
        self.logger.info("outbox published", sent=relay.sent, unsent=relay.unsent)
        for fault in relay.faults:
            self._fault(fault)
        self._count({Metric.EVENTS_RELAYED: relay.sent, Metric.EVENTS_NOT_RELAYED: relay.unsent})

    def audit_finished(self, audit: AuditReport) -> None:
        """Write what an audit found, one line per finding."""
        for finding in audit.findings:
            self.logger.warning(
                "audit finding",
                batch_id=finding.batch_id,
                correlation_id=finding.correlation_id,
                outcome=of_finding(finding.kind).word,
                detail=finding.detail,
                repaired=finding in audit.repaired,
            )
        self.logger.info("audit finished", open_batches=audit.batches, unchecked=audit.unchecked)
        self._count({of_finding(kind).metric: count for kind, count in audit.counts().items()})
        self._count(
            {Metric.AUDIT_HEALED: len(audit.repaired), Metric.AUDIT_UNRESOLVED: len(audit.open_findings)}
        )
        if audit.sweep:
            self.sweep_finished(audit.sweep)
        if audit.relay:
            self.outbox_published(audit.relay)

    def status_read(self, batch_id: str, description: BatchDescription | None) -> None:
        """Write that a batch was asked for, whether it exists, and its status."""
        batch = description.overview.batch if description else None
        self.logger.info(
            "batch status read",
            batch_id=batch_id,
            correlation_id=description.overview.correlation_id if description else None,
            outcome="found" if batch else "not_found",
            status=batch.status.value if batch else None,
        )
        self._count({Metric.STATUS_FOUND if batch else Metric.STATUS_NOT_FOUND: 1})

    def migration(self, migrate: Callable[[], str]) -> Callable[[], str]:
        """Return the same migration; it also writes the revision that it reached, or why it failed.

        CloudFormation gets the failure as an answer, so the handler does not raise it.
        """

        def write_and_migrate() -> str:
            try:
                revision = migrate()
            except Exception as failure:
                self.logger.exception("migration failed", reason=str(failure))
                self._count({Metric.MIGRATION_FAILED: 1})
                raise
            self.logger.info("migration succeeded", revision=revision)
            self._count({Metric.MIGRATION_SUCCEEDED: 1})
            return revision

        return write_and_migrate

    def _consumed[Item, Report](self, consumed: ConsumeResult[Item, Report]) -> None:
        retried = set(consumed.batch_item_failures)
        sent = 0
        for letter in consumed.dead_letters:
            is_sent = letter.message.message_id not in retried
            sent += is_sent
            self.logger.warning(
                "message sent to dead-letter queue" if is_sent else "message refused by dead-letter queue",
                message_id=letter.message.message_id,
                error_code=letter.poison.error_code,
                field=letter.poison.field,
                reason=letter.poison.reason,
            )
        for fault in consumed.faults:
            self._fault(fault)
        self._count({Metric.DEAD_LETTERED: sent, Metric.MESSAGES_RETRIED: len(consumed.batch_item_failures)})

    def _parked(self, report: RegistrationResult, correlations: Mapping[str, str]) -> None:
        """Write what became of the arrivals that were parked."""
        signals = {key: of_arrival(outcome) for key, outcome in report.drained.items()}
        self._lines(
            "parked arrivals decided",
            ((key[0], correlations[key[0]], signal.word) for key, signal in signals.items()),
        )
        self._lines(
            "parked arrivals could not be decided",
            ((batch_id, correlations[batch_id], "parked") for batch_id, _ in report.undecidable),
        )
        self._count(Counter(signal.metric for signal in signals.values()))
        self._count({Metric.PARKED_UNDECIDABLE: len(report.undecidable)})

    def _published(self, published: Iterable[PublishResult]) -> None:
        for one in published:
            for fault in one.faults:
                self._fault(fault)
            self._count({Metric.EVENTS_SENT: one.sent, Metric.EVENTS_UNSENT: one.unsent})

    def _closed(self, closed: Sequence[ClosedBatch]) -> None:
        signals = [of_closed_batch(one.batch.status) for one in closed]
        self._lines(
            "batch closed",
            (
                (one.batch.batch_id, one.correlation_id, signal.word)
                for one, signal in zip(closed, signals, strict=True)
            ),
        )
        self._count(Counter(signal.metric for signal in signals))

    def _fault(self, fault: Exception) -> None:
        code = fault.error_code if isinstance(fault, FaultError) else "UNEXPECTED"
        self.logger.error("fault", error_code=code, reason=str(fault), exc_info=fault)
        self._count({Metric.FAULTS: 1})

    def _lines(self, message: str, decided: Iterable[tuple[str, str, str]]) -> None:
        """Write one line per batch, correlation id and outcome, with the number of items that share them."""
        lines = [
            {"batch_id": batch_id, "correlation_id": correlation_id, "outcome": outcome, "count": count}
            for (batch_id, correlation_id, outcome), count in Counter(decided).items()
        ]
        if lines:
            self.logger.info(message, extra={LINES: lines})

    def _count(self, counts: Mapping[Metric, int]) -> None:
        for metric, count in counts.items():  # zeros too: a graph without points shows nothing
            self.metrics.add_metric(name=metric.metric_name, unit=metric.unit, value=count)
