"""What all functions write alike: lines by outcome, counts, faults, and what was closed and published."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics

from els_core.adapters.telemetry.grouped_lines import LINES, GroupedLines
from els_core.application.metrics import Metric
from els_core.application.signals import of_closed_batch
from els_core.domain.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from els_core.application.decision_step import ClosedBatch
    from els_core.application.message_consumer import ConsumeResult
    from els_core.application.post_commit import PublishResult


class Recorder:
    """A logger and metrics. Metrics are counted by outcome, never by batch id."""

    def __init__(self, service: str = "els", namespace: str = "EssayLifecycle") -> None:
        self.logger = Logger(service=service, logger_formatter=GroupedLines())
        self.metrics = Metrics(namespace=namespace, service=service)

    def consumed[Item, Report](self, consumed: ConsumeResult[Item, Report]) -> None:
        """Write dead letters and faults, and count what is retried."""
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
            self.fault(fault)
        self.count({Metric.DEAD_LETTERED: sent, Metric.MESSAGES_RETRIED: len(consumed.batch_item_failures)})

    def published(self, published: Iterable[PublishResult]) -> None:
        """Count what was published."""
        for one in published:
            for fault in one.faults:
                self.fault(fault)
            self.count({Metric.EVENTS_SENT: one.sent, Metric.EVENTS_UNSENT: one.unsent})

    def closed(self, closed: Sequence[ClosedBatch]) -> None:
        """Write which batches were closed."""
        signals = [of_closed_batch(one.batch.status) for one in closed]
        self.lines(
            "batch closed",
            (
                (one.batch.batch_id, one.correlation_id, signal.word)
                for one, signal in zip(closed, signals, strict=True)
            ),
        )
        self.count(Counter(signal.metric for signal in signals))

    def fault(self, fault: Exception) -> None:
        """Write and count a fault."""
        code = fault.error_code if isinstance(fault, FaultError) else "UNEXPECTED"
        self.logger.error("fault", error_code=code, reason=str(fault), exc_info=fault)
        self.count({Metric.FAULTS: 1})

    def lines(self, message: str, decided: Iterable[tuple[str, str, str]]) -> None:
        """Write one line per batch, correlation id and outcome, with the number of items that share them."""
        lines = [
            {"batch_id": batch_id, "correlation_id": correlation_id, "outcome": outcome, "count": count}
            for (batch_id, correlation_id, outcome), count in Counter(decided).items()
        ]
        if lines:
            self.logger.info(message, extra={LINES: lines})

    def count(self, counts: Mapping[Metric, int]) -> None:
        """Count; zeros too, since a graph without points shows nothing."""
        for metric, count in counts.items():
            self.metrics.add_metric(name=metric.metric_name, unit=metric.unit, value=count)
