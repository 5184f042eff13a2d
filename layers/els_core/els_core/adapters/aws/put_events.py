"""PutEvents without what boto3 does again at every call: validate, serialize by a model, find the endpoint.

The rest is botocore's own: credentials, signature, retries, connections, parser, classes of errors, and the
events by which test doubles catch a call (decision 12).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.exceptions import ClientError
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef, PutEventsResponseTypeDef

OPERATION = "PutEvents"


class PutEventsClient:
    """Calls PutEvents on the endpoint of a boto3 client; safe to use from several threads."""

    def __init__(self, client: EventBridgeClient) -> None:
        self._client: Any = client
        self._model = self._client.meta.service_model.operation_model(OPERATION)
        self._url = self._client.meta.endpoint_url.rstrip("/") + "/"

    def put_events(self, *, Entries: Sequence[PutEventsRequestEntryTypeDef]) -> PutEventsResponseTypeDef:  # noqa: N803 - as boto3
        """Put entries; raise what boto3 raises."""
        http, parsed = self._client._endpoint.make_request(self._model, self._request(Entries))  # noqa: SLF001
        if http.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            code = parsed.get("Error", {}).get("Code")
            error: type[ClientError] = self._client.exceptions.from_code(code)
            raise error(parsed, OPERATION)
        answer: PutEventsResponseTypeDef = parsed
        return answer

    def _request(self, entries: Sequence[PutEventsRequestEntryTypeDef]) -> dict[str, Any]:
        """Return the request as botocore's serializer would make it; the endpoint signs and sends it."""
        config = self._client.meta.config
        return {
            "url": self._url,
            "url_path": "/",
            "query_string": "",
            "method": "POST",
            "headers": {
                "X-Amz-Target": "AWSEvents.PutEvents",
                "Content-Type": "application/x-amz-json-1.1",
                "User-Agent": config.user_agent or "els",
            },
            "body": to_json({"Entries": entries}),
            "context": {
                "client_region": self._client.meta.region_name,
                "client_config": config,
                "has_streaming_input": False,
                "auth_type": self._model.resolved_auth_type,
                "unsigned_payload": None,
            },
        }
