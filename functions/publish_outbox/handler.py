"""Trigger: a schedule, each minute. A fault ends this run; the next one goes on."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.tracing import traced
from els_core.bootstrap import container

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

telemetry = Telemetry()


@traced("publish_outbox")
@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's shape
    """Send what was committed and left behind."""
    relay = container().publish_outbox()
    telemetry.relayed(relay.run(lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS))
