"""Trigger: SQS, fed by `BatchEssaysRegistered`. A message comes back only after a fault of a store."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.opentelemetry.tracing import traced
from els_core.adapters.powertools.journal import Journal
from els_core.bootstrap import service
from els_core.contracts.queues import partial_response, records_of

journal = Journal()


@traced("register_batch")
@journal.logger.inject_lambda_context
@journal.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's shape
    """Open the batches and decide what was parked for them."""
    taken = service().register_batch()(records_of(event))
    journal.registered(taken)
    return partial_response(taken.come_back)
