"""Trigger: a schedule, each minute. A fault ends this sweep; the next one continues."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

telemetry = Telemetry()


@telemetry.instrumented("expire_batches", SpanKind.INTERNAL)
def handle(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's shape
    """Close overdue batches, announce overdue parked arrivals, delete data past its retention."""
    sweep = container().expire_batches()
    result = sweep.run(lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS)
    telemetry.sweep_finished(result)
