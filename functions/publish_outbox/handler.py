"""Trigger: a schedule, each minute. A fault ends this run; the next one continues."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

telemetry = Telemetry()


@telemetry.instrumented("publish_outbox", SpanKind.INTERNAL)
def handle(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's shape
    """Publish the events that were committed and not sent."""
    relay = container().publish_outbox()
    result = relay.run(lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS)
    telemetry.outbox_published(result)
