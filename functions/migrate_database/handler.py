"""Trigger: a CloudFormation custom resource, or by hand; CloudFormation is answered always."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.aws.custom_resource import answer
from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.tracing import traced
from els_core.bootstrap import container

telemetry = Telemetry()


@traced("migrate_database")
@telemetry.logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the schema to the head of the migrations layer."""
    return answer(event, context.log_stream_name, container().migrate_database)
