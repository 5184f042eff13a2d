"""Trigger: a CloudFormation custom resource, or by hand; CloudFormation is answered always."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.cloudformation.answering import answer
from els_core.adapters.opentelemetry.tracing import traced
from els_core.adapters.powertools.journal import Journal
from els_core.bootstrap import service

journal = Journal()


@traced("migrate_database")
@journal.logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the schema to the head of the migrations layer."""
    return answer(event, context.log_stream_name, service().migrate_database)
