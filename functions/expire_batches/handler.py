"""Trigger: a schedule, each minute. A fault ends this sweep; the next one goes on."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.opentelemetry.tracing import traced
from els_core.adapters.powertools.journal import Journal
from els_core.bootstrap import service

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

journal = Journal()


@traced("expire_batches")
@journal.logger.inject_lambda_context
@journal.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's shape
    """Close overdue batches, announce overdue parked arrivals, delete what is past its retention."""
    sweep = service().expire_batches()
    journal.expired(sweep(lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS))
