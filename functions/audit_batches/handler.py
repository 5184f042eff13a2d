"""Trigger: a schedule, or by hand with `{"repair": true}`. A fault ends this audit; the next one starts anew.

Without `repair` it only reads.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

telemetry = Telemetry()


@telemetry.instrumented("audit_batches", SpanKind.INTERNAL)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[Any, int]:
    """Compare Redis with Postgres, find what is stuck, and return the number of findings by kind."""
    audit = (
        container()
        .audit_batches()
        .run(
            lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS,
            repair=event.get("repair") is True,
        )
    )
    telemetry.audit_finished(audit)
    return audit.counts()
