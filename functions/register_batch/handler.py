"""Trigger: SQS, fed by `BatchEssaysRegistered`. A fault, or the end of time, makes a message come again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.tracing import traced
from els_core.bootstrap import container
from els_core.contracts.sqs import messages_of, partial_batch_response

RESERVE_MILLISECONDS = 10_000  # what one transaction and its publishing may take in the worst case

telemetry = Telemetry()


@traced("register_batch")
@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Open the batches and decide what was parked for them."""
    consumer = container().register_batch()
    taken = consumer.consume(
        messages_of(event), lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS
    )
    telemetry.registered(taken)
    return partial_batch_response(taken.batch_item_failures)
