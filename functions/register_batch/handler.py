"""Trigger: SQS, fed by `BatchEssaysRegistered`. A message comes back only after a fault of a store."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.tracing import traced
from els_core.bootstrap import container
from els_core.contracts.sqs import messages_of, partial_batch_response

telemetry = Telemetry()


@traced("register_batch")
@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's shape
    """Open the batches and decide what was parked for them."""
    taken = container().register_batch().consume(messages_of(event))
    telemetry.registered(taken)
    return partial_batch_response(taken.batch_item_failures)
