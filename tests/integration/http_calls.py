"""Requests as API Gateway sends them to the functions of the HTTP API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.integration.lambda_functions import call

CALLER = {"iam": {"userArn": "arn:aws:iam::123456789012:user/teacher"}}


@dataclass(frozen=True)
class Reply:
    """The answer of a function to a request."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """Return the body as an object."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def code(self) -> str:
        """Return the code of a problem; it must be of the form of all problems."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.body["type"] == f"urn:els:problem:{self.body['code']}"
        assert self.body["status"] == self.status
        return str(self.body["code"])


def request(
    method: str,
    path: str,
    query: dict[str, str] | None = None,
    *,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return a request with payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": {"host": "api", **(headers or {})},
        "queryStringParameters": query or None,
        "requestContext": {
            "apiId": "api",
            "authorizer": CALLER,
            "http": {"method": method, "path": path},
            "stage": "$default",
        },
        "body": body if isinstance(body, str) or body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def get(path: str, headers: dict[str, str] | None = None, **query: str) -> Reply:
    """Ask the function that reads."""
    return reply(call("batch_status", request("GET", path, query, headers=headers)))


def post(path: str, body: object, key: str | None = None) -> Reply:
    """Ask the function that acts."""
    headers = {"idempotency-key": key} if key is not None else {}
    return reply(call("operator_api", request("POST", path, body=body, headers=headers)))


def reply(answer: dict[str, Any]) -> Reply:
    """Return the answer of a handler; header names in lower case."""
    headers = {name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    return Reply(answer["statusCode"], headers, answer.get("body") or "")


def command(batch_id: str, key: str | None, **arguments: object) -> Reply:
    """Command something for a batch."""
    return post(f"/batches/{quote(batch_id)}/commands", arguments, key)
