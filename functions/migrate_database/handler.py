"""Trigger: a CloudFormation custom resource, or by hand. A failure is the response; it is never retried."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.aws.custom_resource import respond
from els_core.adapters.telemetry.logs_and_metrics import Telemetry

telemetry = Telemetry()


@telemetry.instrumented("migrate_database", SpanKind.INTERNAL)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Upgrade the schema to the newest revision of the migrations layer, unless the bus is missing."""
    return respond(
        event,
        context.log_stream_name,
        lambda: context.get_remaining_time_in_millis() / 1_000,
        telemetry.migration(_migrate),
    )


def _migrate() -> str:
    # Imported here, so that CloudFormation is answered even if this import fails.
    from els_core.bootstrap import container  # noqa: PLC0415

    return container().migrate_database()
