"""Trigger: a schedule, each minute. A fault ends this run; the next one goes on."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.opentelemetry.tracing import traced
from els_core.adapters.powertools.journal import Journal
from els_core.bootstrap import service

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

journal = Journal()


@traced("publish_outbox")
@journal.logger.inject_lambda_context
@journal.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's shape
    """Send what was committed and left behind."""
    relay = service().publish_outbox()
    journal.relayed(relay(lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS))
