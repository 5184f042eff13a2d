"""API Gateway in front of both functions, as a WSGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.integration.http_calls import reply, request
from tests.integration.lambda_functions import call

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def api_gateway(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request as payload format 2.0 carries it: repeated parameters are joined with commas."""
    method = str(environ["REQUEST_METHOD"])
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    size = int(str(environ.get("CONTENT_LENGTH") or 0))
    event: dict[str, Any] = request(
        method,
        str(environ["PATH_INFO"]),
        {name: ",".join(values) for name, values in query.items()},
        body=environ["wsgi.input"].read(size).decode(errors="replace") if size else None,
        headers=headers,
    )
    answer = reply(call("batch_status" if method in {"GET", "HEAD"} else "operator_api", event))
    start_response(f"{answer.status} -", list(answer.headers.items()))
    return [answer.text.encode()]
