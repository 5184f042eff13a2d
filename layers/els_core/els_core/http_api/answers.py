"""Answers with their ETag, and problems; what is down is 503 with a time to come back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from els_core.contracts.page_tokens import PageTokenError
from els_core.contracts.problems import (
    CONTENT_TYPE,
    RETRY_AFTER_SECONDS,
    Problem,
    ProblemCode,
    problem,
)
from els_core.contracts.routes import ROUTES
from els_core.domain.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from pydantic import BaseModel

    from els_core.contracts.routes import Route

JSON = "application/json"


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.code)
        self.problem = found


def resolver(function: str, note_fault: Callable[[Exception], None]) -> APIGatewayHttpResolver:
    """Return a resolver for the routes of a function that answers every problem in one form."""
    app = APIGatewayHttpResolver()

    def unavailable(fault: FaultError) -> Response[str]:
        note_fault(fault)
        return problem_answer(
            problem(ProblemCode.UNAVAILABLE, "A store is down or busy: repeat the request.")
        )

    def refused(error: ProblemError) -> Response[str]:
        return problem_answer(error.problem)

    def wrong_token(error: PageTokenError) -> Response[str]:
        return problem_answer(problem(ProblemCode.MALFORMED, str(error), field="page_token"))

    def unknown_route(_: NotFoundError) -> Response[str]:
        paths = {route.path for route in ROUTES if route.function == function}
        return problem_answer(problem(ProblemCode.UNKNOWN_ROUTE, f"There are {', '.join(sorted(paths))}."))

    app.exception_handler(FaultError)(unavailable)
    app.exception_handler(ProblemError)(refused)
    app.exception_handler(PageTokenError)(wrong_token)
    app.not_found(unknown_route)
    return app


def serve(app: APIGatewayHttpResolver, route: Route, answer: Callable[..., Response[str]]) -> None:
    """Let the resolver answer a route of the table."""
    app.route(route.path.replace("{", "<").replace("}", ">"), route.method)(answer)


def tagged(model: BaseModel | str, if_none_match: str | None) -> Response[str]:
    """Return an answer with the hash of its body as ETag, or 304 when the caller has just that."""
    body = model if isinstance(model, str) else model.model_dump_json()
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()}"'
    headers: dict[str, str | list[str]] = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    if etag in known or "*" in known:
        return Response(304, headers=headers)
    return Response(200, JSON, body, headers)


def plain(model: BaseModel) -> Response[str]:
    """Return an answer that is not to be kept by anybody."""
    return Response(200, JSON, model.model_dump_json(), {"Cache-Control": "no-store"})


def problem_answer(found: Problem) -> Response[str]:
    """Return a problem, with a time to come back where that helps."""
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store"}
    if found.code is ProblemCode.UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Response(found.status, CONTENT_TYPE, found.model_dump_json(), headers)
