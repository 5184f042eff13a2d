"""Trigger: a schedule, or by hand with `{"repair": true}`. Reads only unless told to; a fault ends it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.tracing import traced
from els_core.bootstrap import container

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

telemetry = Telemetry()


@traced("audit_batches")
@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[Any, int]:
    """Compare Redis with the record and find what is stuck; answer how much is still wrong, by kind."""
    audit = (
        container()
        .audit_batches()
        .run(
            lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS,
            repair=event.get("repair") is True,
        )
    )
    telemetry.audited(audit)
    return audit.counts()
