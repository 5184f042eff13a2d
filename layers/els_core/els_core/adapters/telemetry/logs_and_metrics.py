"""Logs and metrics of the functions: by outcome, never with a file name or a text.

One line stands for all arrivals with the same batch, correlation id and outcome, so a bulk costs few lines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from els_core.adapters.telemetry.invocation import InvocationTelemetry
from els_core.application.gauges import gauges_of
from els_core.application.metrics import Metric
from els_core.application.signals import (
    of_arrival,
    of_closed_batch,
    of_command,
    of_finding,
    of_registration,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from els_core.application.audit_batches import AuditReport
    from els_core.application.batch_status import BatchDescription
    from els_core.application.check_health import HealthReport
    from els_core.application.commands import CommandRequest
    from els_core.application.decision_step import ClosedBatch
    from els_core.application.expire_batches import SweepResult
    from els_core.application.message_consumer import ConsumeResult
    from els_core.application.post_commit import PublishResult
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.publish_outbox import RelayResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.application.steer_batch import SteeringResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration

RETRIED = "retried"  # the outcome of an item that a fault stopped


class Telemetry(InvocationTelemetry):
    """Writes what one function did. Metrics are counted by outcome, never by batch id."""

    def arrivals_consumed(self, consumed: ConsumeResult[Arrival, ProvisioningResult]) -> None:
        """Write what became of arrivals."""
        for arrivals, report in consumed.reports:
            signals = [of_arrival(outcome) for outcome in report.outcomes]
            self.lines(
                "arrivals decided",
                (
                    (arrival.batch_id, arrival.correlation_id, signal.word)
                    for arrival, signal in zip(arrivals, signals, strict=True)
                ),
            )
            self.metrics.count(Counter(signal.metric for signal in signals))
            self.metrics.count({Metric.RACES_LOST: report.races_lost, Metric.REBUILDS: report.rebuilt})
            self._closed(report.closed)
            self._published(report.published)
        self.lines(
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
                self.lines("registration decided", [line])
                self.metrics.count({signal.metric: 1})
            correlations = {one.batch_id: one.details.correlation_id for one in registrations}
            self._parked(report, correlations)
            self._closed(report.closed)
            self._published(report.published)
        self.lines(
            "registrations retried",
            ((one.batch_id, one.details.correlation_id, RETRIED) for one in consumed.retried),
        )
        self._consumed(consumed)

    def commands_consumed(self, consumed: ConsumeResult[CommandRequest, SteeringResult]) -> None:
        """Write what became of commands, never by whom or why: that is in Postgres."""
        for requests, report in consumed.reports:
            self.commands_judged(requests, report)
        self.lines(
            "commands retried", ((one.batch_id, one.correlation_id, RETRIED) for one in consumed.retried)
        )
        self._consumed(consumed)

    def commands_judged(self, requests: Sequence[CommandRequest], report: SteeringResult) -> None:
        """Write what became of commands that came together."""
        signals = [of_command(answer) for answer in report.answers]
        self.lines(
            "command judged",
            (
                (request.batch_id, request.correlation_id, f"{request.command.name} {signal.word}")
                for request, signal in zip(requests, signals, strict=True)
            ),
        )
        self.metrics.count(Counter(signal.metric for signal in signals))
        self._closed(report.closed)
        self._published(report.published)

    def sweep_finished(self, sweep: SweepResult) -> None:
        """Write what a sweep did."""
        self._closed(sweep.closed)
        self._published(sweep.published)
        for fault in sweep.faults:
            self.fault(fault)
        self.metrics.count({Metric.OVERDUE_PARKED: sweep.overdue_parked, Metric.BATCHES_PURGED: sweep.purged})

    def outbox_published(self, relay: RelayResult) -> None:
        """Write what the relay did."""
        self.logger.info("outbox published", sent=relay.sent, unsent=relay.unsent)
        for fault in relay.faults:
            self.fault(fault)
        self.metrics.count({Metric.EVENTS_RELAYED: relay.sent, Metric.EVENTS_NOT_RELAYED: relay.unsent})
        self.metrics.durations(Metric.RESULT_LATENCY, relay.result_latencies)

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
        self.metrics.count({of_finding(kind).metric: count for kind, count in audit.counts().items()})
        self.metrics.count(
            {Metric.AUDIT_REPAIRED: len(audit.repaired), Metric.AUDIT_UNRESOLVED: len(audit.open_findings)}
        )
        for fault in audit.faults:
            self.fault(fault)
        if audit.sweep:
            self.sweep_finished(audit.sweep)
        if audit.relay:
            self.outbox_published(audit.relay)

    def file_names_read(self, batch_id: str, actor: str) -> None:
        """Write who saw the file names of a batch: they are personal data."""
        self.logger.info("file names read", batch_id=batch_id, actor=actor)

    def dead_letters_read(self, actor: str) -> None:
        """Write who saw the bodies of dead letters: they may hold personal data."""
        self.logger.info("dead letters read", actor=actor)

    def dead_letters_redriven(self, queue: str, count: int, actor: str) -> None:
        """Write who put how many messages back into a queue."""
        self.logger.info("dead letters redriven", queue=queue, count=count, actor=actor)

    def status_read(self, batch_id: str, description: BatchDescription | None) -> None:
        """Write that a batch was asked for, whether it exists, and its status."""
        batch = description.overview.batch if description else None
        self.logger.info(
            "batch status read",
            batch_id=batch_id,
            correlation_id=description.overview.owner.correlation_id if description else None,
            outcome="found" if batch else "not_found",
            status=batch.status.value if batch else None,
        )
        self.metrics.count({Metric.STATUS_FOUND if batch else Metric.STATUS_NOT_FOUND: 1})

    def health_checked(self, report: HealthReport) -> None:
        """Write the gauges of the whole system, and why what did not answer did not."""
        for fault in report.faults:
            self.fault(fault)
        for gauge in gauges_of(report):
            self.metrics.gauge(gauge)

    def migration(self, migrate: Callable[[], str]) -> Callable[[], str]:
        """Return the same migration; it also writes the revision that it reached, or why it failed.

        CloudFormation gets the failure as an answer, so the handler does not raise it.
        """

        def write_and_migrate() -> str:
            try:
                revision = migrate()
            except Exception as failure:
                self.logger.exception("migration failed", reason=str(failure))
                self.metrics.count({Metric.MIGRATION_FAILED: 1})
                raise
            self.logger.info("migration succeeded", revision=revision)
            self.metrics.count({Metric.MIGRATION_SUCCEEDED: 1})
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
        self.metrics.durations(Metric.ARRIVAL_LATENCY, consumed.latencies)
        for fault in consumed.faults:
            self.fault(fault)
        self.metrics.count(
            {Metric.DEAD_LETTERED: sent, Metric.MESSAGES_RETRIED: len(consumed.batch_item_failures)}
        )

    def _parked(self, report: RegistrationResult, correlations: Mapping[str, str]) -> None:
        """Write what became of the arrivals that were parked."""
        signals = {key: of_arrival(outcome) for key, outcome in report.drained.items()}
        self.lines(
            "parked arrivals decided",
            ((key[0], correlations[key[0]], signal.word) for key, signal in signals.items()),
        )
        self.lines(
            "parked arrivals could not be decided",
            ((batch_id, correlations[batch_id], "parked") for batch_id, _ in report.undecidable),
        )
        self.metrics.count(Counter(signal.metric for signal in signals.values()))
        self.metrics.count({Metric.PARKED_UNDECIDABLE: len(report.undecidable)})

    def _published(self, published: Iterable[PublishResult]) -> None:
        for one in published:
            for fault in one.faults:
                self.fault(fault)
            self.metrics.count({Metric.EVENTS_SENT: one.sent, Metric.EVENTS_UNSENT: one.unsent})
            self.metrics.durations(Metric.RESULT_LATENCY, one.result_latencies)

    def _closed(self, closed: Sequence[ClosedBatch]) -> None:
        signals = [of_closed_batch(one.batch.status) for one in closed]
        self.lines(
            "batch closed",
            (
                (one.batch.batch_id, one.correlation_id, signal.word)
                for one, signal in zip(closed, signals, strict=True)
            ),
        )
        self.metrics.count(Counter(signal.metric for signal in signals))
