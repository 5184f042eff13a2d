"""Trigger: HTTP API (payload 2.0) with IAM authentication, every POST. The same request again is safe."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.http_api import operator_api


@operator_api.telemetry.instrumented("POST", SpanKind.SERVER)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return operator_api.app.resolve(event, context)
