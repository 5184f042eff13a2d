"""Trigger: HTTP API (payload 2.0) with IAM authentication. Reads Postgres only, so asking again is safe."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.opentelemetry.tracing import traced
from els_core.adapters.powertools.journal import Journal
from els_core.bootstrap import service
from els_core.contracts.status import status_of

journal = Journal()
app = APIGatewayHttpResolver()


@app.get("/batches/<batch_id>")
def get_batch(batch_id: str) -> dict[str, Any]:
    """Tell where the batch stands, or 404 for one that nobody has named."""
    described = service().batch_status()(batch_id)
    if described is None:
        raise NotFoundError(f"no batch {batch_id}: neither registered nor named by any arrival")
    return status_of(described)


@traced("batch_status")
@journal.logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
