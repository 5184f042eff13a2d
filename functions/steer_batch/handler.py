"""Trigger: SQS, with `BatchCommand`. A fault, or the end of the time, causes a retry."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container
from els_core.contracts.sqs import messages_of, partial_batch_response

RESERVE_MILLISECONDS = 10_000  # what one transaction and its publishing may take in the worst case

telemetry = Telemetry()


@telemetry.instrumented("process steer_batch", SpanKind.CONSUMER)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Judge the commands; a refusal is an answer, and acknowledged."""
    consumer = container().steer_batch()
    consumed = consumer.consume(
        messages_of(event), lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS
    )
    telemetry.commands_consumed(consumed)
    return partial_batch_response(consumed.batch_item_failures)
