"""Trigger: HTTP API (payload 2.0) with IAM authentication. Reads Postgres only, so asking again is safe."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.adapters.telemetry.tracing import traced
from els_core.bootstrap import container
from els_core.contracts.http_api import batch_status_answer

telemetry = Telemetry()
app = APIGatewayHttpResolver()


@app.get("/batches/<batch_id>")
def get_batch(batch_id: str) -> dict[str, Any]:
    """Tell where the batch stands, or 404 for one that nobody has named."""
    described = container().batch_status().read(batch_id)
    if described is None:
        raise NotFoundError(f"no batch {batch_id}: neither registered nor named by any arrival")
    return batch_status_answer(described).model_dump(mode="json")


@traced("batch_status")
@telemetry.logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
