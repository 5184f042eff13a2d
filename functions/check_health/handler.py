"""Trigger: a schedule, each minute. It changes nothing; the next check starts anew."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container

telemetry = Telemetry()


@telemetry.instrumented("check_health", SpanKind.INTERNAL)
def handle(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's shape
    """Write the gauges of the whole system; what does not answer is a gauge of 0."""
    telemetry.health_checked(container().check_health().run())
