"""Trigger: a CloudFormation custom resource, or by hand. A failure is the answer; it is never retried."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.aws.custom_resource import answer
from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container

telemetry = Telemetry()


@telemetry.instrumented("migrate_database", SpanKind.INTERNAL)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Upgrade the schema to the newest revision of the migrations layer."""
    return answer(event, context.log_stream_name, telemetry.migration(lambda: container().migrate_database()))
