"""What every invocation writes, whatever its function does: its span, its faults, and its metrics."""

from __future__ import annotations

from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from els_core.adapters.telemetry.embedded_metrics import EmbeddedMetrics
from els_core.adapters.telemetry.grouped_lines import LINES, GroupedLines
from els_core.adapters.telemetry.store_calls import waited_for_stores
from els_core.adapters.telemetry.tracing import answered, invocation_span
from els_core.application.metrics import Metric
from els_core.domain.errors import FaultError, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from opentelemetry.trace import SpanKind

    type Handler[Answer] = Callable[[dict[str, Any], LambdaContext], Answer]


class InvocationTelemetry:
    """The logger and the metrics of one function."""

    def __init__(self, service: str = "els", namespace: str = "EssayLifecycle") -> None:
        # A message is a sentence: the formatter's own reader would look for JSON in each of them.
        formatter = GroupedLines(json_deserializer=str, serialize_stacktrace=False)
        self.logger = Logger(service=service, logger_formatter=formatter)
        self.metrics = EmbeddedMetrics(namespace=namespace, service=service)

    def instrumented[Answer](self, name: str, kind: SpanKind) -> Callable[[Handler[Answer]], Handler[Answer]]:
        """Decorate a handler with a span, Lambda's context in each log line, and a flush of its metrics.

        An exception is logged, counted and raised again; the metrics are flushed then too.
        """

        def decorate(handler: Handler[Answer]) -> Handler[Answer]:
            @wraps(handler)
            @self.logger.inject_lambda_context
            def handle(event: dict[str, Any], context: LambdaContext) -> Answer:
                self.metrics.count({Metric.FAULTS: 0})  # a point per invocation, so that an alarm has data
                with invocation_span(name, kind, event) as span, waited_for_stores() as waited:
                    try:
                        answer = handler(event, context)
                        answered(span, kind, answer)
                    except Exception as fault:
                        self.fault(fault)
                        raise
                    finally:
                        for metric, time in waited.items():
                            self.metrics.durations(metric, [time])
                        self.metrics.flush()
                return answer

            return handle

        return decorate

    def fault(self, fault: Exception) -> None:
        """Log and count a fault, without a message that is not ours: it may repeat an input."""
        code = fault.error_code if isinstance(fault, FaultError) else "UNEXPECTED"
        self.logger.error("fault", error_code=code, reason=words_of(fault), exc_info=fault)
        self.metrics.count({Metric.FAULTS: 1})

    def lines(self, message: str, decided: Iterable[tuple[str, str, str]]) -> None:
        """Write one line per batch, correlation id and outcome, with the number of items that share them."""
        lines = [
            {"batch_id": batch_id, "correlation_id": correlation_id, "outcome": outcome, "count": count}
            for (batch_id, correlation_id, outcome), count in Counter(decided).items()
        ]
        if lines:
            self.logger.info(message, extra={LINES: lines})
