"""Trigger: SQS, with contents and failures. Only a fault, such as a store that is down, causes a retry."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container
from els_core.contracts.sqs import messages_of, partial_batch_response

telemetry = Telemetry()


@telemetry.instrumented("process provision_content", SpanKind.CONSUMER)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's shape
    """Give each content exactly one slot and count each failure."""
    consumed = container().provision_content().consume(messages_of(event))
    telemetry.arrivals_consumed(consumed)
    return partial_batch_response(consumed.batch_item_failures)
