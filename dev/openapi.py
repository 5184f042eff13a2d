"""The OpenAPI document of the HTTP API, from the table of its routes and the models behind them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from els_core.contracts.problems import CONTENT_TYPE, MEANINGS, Problem, ProblemCode
from els_core.contracts.requests import IDEMPOTENCY_KEY
from els_core.contracts.routes import ROUTES, Route, Scope

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

REFERENCE = "#/components/schemas/{model}"
IDENTIFIER = {"type": "string", "pattern": "^[A-Za-z0-9_.:\\-]{1,128}$"}
ALWAYS = (
    ProblemCode.MALFORMED,
    ProblemCode.NOT_ALLOWED,
    ProblemCode.UNKNOWN_ROUTE,
    ProblemCode.UNAVAILABLE,
)
SCOPES = {
    Scope.READ: "reads and changes nothing",
    Scope.STEER: "acts on batches",
    Scope.ADMIN: "acts on the whole system",
}


def openapi() -> dict[str, Any]:
    """Return the document."""
    used: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    used += [(route.answer, "serialization") for route in ROUTES if route.answer]
    used += [(route.body, "validation") for route in ROUTES if route.body]
    names, definitions = models_json_schema(used, ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names)
    signature = {"type": "apiKey", "name": "Authorization", "in": "header"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Essay Lifecycle Service",
            "version": "1.0.0",
            "description": "Where batches stand, what happened to them, and commands about them.",
        },
        "security": [{"sigv4": []}],
        "tags": [{"name": scope.value, "description": text} for scope, text in SCOPES.items()],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"sigv4": signature | {"description": "AWS Signature Version 4"}},
        },
    }


def _operation(route: Route, names: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method} {route.path}".lower()).strip("_"),
        "summary": route.summary,
        "tags": [route.scope.value],
        "parameters": [*_in_path(route), *_in_query(route), *_in_headers(route)],
        "responses": _responses(route, names),
    }
    if route.body:
        schema = names[route.body, "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _in_path(route: Route) -> list[dict[str, Any]]:
    found = re.findall(r"{(\w+)}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": IDENTIFIER} for name in found]


def _in_query(route: Route) -> list[dict[str, Any]]:
    schema = route.query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": described.pop("description", ""),
            "schema": _without_null(_resolved(described, schema.get("$defs", {}))),
        }
        for name, described in schema.get("properties", {}).items()
    ]


def _in_headers(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "required": name == IDEMPOTENCY_KEY,
            "description": text,
            "schema": IDENTIFIER if name == IDEMPOTENCY_KEY else {"type": "string"},
        }
        for name, text in route.headers.items()
    ]


def _responses(route: Route, names: dict[Any, Any]) -> dict[str, Any]:
    schema = names[route.answer, "serialization"] if route.answer else {"type": "object"}
    responses: dict[str, Any] = {
        "200": {"description": route.summary, "content": {"application/json": {"schema": schema}}}
    }
    if "If-None-Match" in route.headers:
        responses["304"] = {"description": "Nothing changed since the answer with this ETag"}
    problems = {"content": {CONTENT_TYPE: {"schema": names[Problem, "serialization"]}}}
    for code in (*ALWAYS, *route.problems):
        status, title = MEANINGS[code]
        known = responses.setdefault(str(status), {"description": "", **problems})
        known["description"] = "; ".join(part for part in (known["description"], f"{code}: {title}") if part)
    return dict(sorted(responses.items()))


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references: a parameter has none to definitions of its own."""
    match schema:
        case {"$ref": str(reference), **rest}:
            return _resolved(definitions[reference.rpartition("/")[2]], definitions) | rest
        case dict():
            return {key: _resolved(value, definitions) for key, value in schema.items()}
        case list():
            return [_resolved(value, definitions) for value in schema]
        case _:
            return schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that is left out, never null."""
    options = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "title"}}
    if rest.get("default", "") is None:
        del rest["default"]
    return (options[0] | rest) if len(options) == 1 else rest
