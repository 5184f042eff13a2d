"""Trigger: HTTP API (payload 2.0) with IAM authentication, every GET. Reads only, so it is safe to retry."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.http_api import batch_status


@batch_status.telemetry.instrumented("GET", SpanKind.SERVER)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return batch_status.app.resolve(event, context)
