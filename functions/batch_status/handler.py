"""Trigger: HTTP API (payload 2.0) with IAM authentication. Reads only Postgres, so it is safe to retry."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext
from opentelemetry.trace import SpanKind

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.bootstrap import container
from els_core.contracts.http_api import PageTokenError, batch_status_answer, checked_id, page_position

telemetry = Telemetry()
app = APIGatewayHttpResolver()


@app.get("/batches/<batch_id>")
def get_batch(batch_id: str) -> dict[str, Any]:
    """Return a page of the status of the batch, or 404 if nothing has named it yet."""
    page = page_position(app.current_event.query_string_parameters.get("page_token"))
    description = container().batch_status().read(checked_id(batch_id), page)
    telemetry.status_read(batch_id, description)
    if description is None:
        raise NotFoundError(f"no batch {batch_id}: neither registered nor named by any arrival")
    return batch_status_answer(description).model_dump(mode="json")


def refuse_token(error: PageTokenError) -> Response[str]:
    """Answer 400 for a page token that no answer of this service gave."""
    raise BadRequestError(str(error)) from error


app.exception_handler(PageTokenError)(refuse_token)


@telemetry.instrumented("GET /batches/{batch_id}", SpanKind.SERVER)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
