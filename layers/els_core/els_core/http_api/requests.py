"""What a request says: who calls, with which query and which body."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from els_core.contracts.fields import Id
from els_core.contracts.problems import ProblemCode, problem
from els_core.contracts.rejections import not_utf8, rejection
from els_core.http_api.answers import ProblemError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
    from pydantic import BaseModel

MAX_ACTOR = 500  # characters
_ID = TypeAdapter[str](Id)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the authorizer says; `org_id` is the only organisation whose batches it may see."""

    actor: str
    source: str
    org_id: str | None


def caller_of(event: APIGatewayProxyEventV2, org_claim: str | None) -> Caller:
    """Return the caller of a request.

    Where a claim is configured, a caller without it is refused: it must never see every organisation.
    """
    context = event.raw_event.get("requestContext") or {}
    authorizer = context.get("authorizer") or {}
    claims = _claims(authorizer)
    org_id = claims.get(org_claim) if org_claim else None
    if org_claim and not isinstance(org_id, str):
        raise ProblemError(problem(ProblemCode.NOT_ALLOWED, f"The caller has no claim {org_claim}."))
    names = ((authorizer.get("iam") or {}).get("userArn"), claims.get("sub"), claims.get("principalId"))
    actor = next((name for name in names if isinstance(name, str) and name), "unknown")
    return Caller(actor[:MAX_ACTOR], str(context.get("apiId") or "")[:MAX_ACTOR], org_id)


def operator_of(event: APIGatewayProxyEventV2, org_claim: str | None) -> Caller:
    """Return the caller of a route about the whole system, which no caller of one organisation may use."""
    if org_claim:
        detail = "This route is about all organisations; the caller belongs to one."
        raise ProblemError(problem(ProblemCode.NOT_ALLOWED, detail))
    return caller_of(event, None)


def query_of[Query: BaseModel](event: APIGatewayProxyEventV2, model: type[Query]) -> Query:
    """Return the query; raise `ProblemError` for a wrong parameter, or one that the route does not know."""
    try:
        return model.model_validate(dict(event.raw_event.get("queryStringParameters") or {}))
    except ValidationError as error:
        raise _malformed(error, model, "query") from None


def body_of[Body: BaseModel](event: APIGatewayProxyEventV2, model: type[Body]) -> Body:
    """Return the body; raise `ProblemError` for one that is not valid."""
    try:
        return model.model_validate_json(event.decoded_body or "")
    except ValidationError as error:
        raise _malformed(error, model, "body") from None
    except (UnicodeError, binascii.Error):
        raise ProblemError(problem(ProblemCode.MALFORMED, not_utf8().reason, field="body")) from None


def id_of(text: str | None, name: str, code: ProblemCode = ProblemCode.MALFORMED) -> str:
    """Return an id; raise `ProblemError` for what is none: of a batch that there is none such."""
    try:
        return _ID.validate_python(text, strict=True)
    except ValidationError as error:
        if code is not ProblemCode.MALFORMED:
            raise ProblemError(problem(code)) from None
        detail = f"{name} {rejection(error).reason}"
        raise ProblemError(problem(code, detail, field=name)) from None


def header_of(event: APIGatewayProxyEventV2, name: str) -> str | None:
    """Return a header by its name in any case, None without it."""
    headers: dict[str, Any] = event.raw_event.get("headers") or {}
    found = [value for key, value in headers.items() if key.lower() == name.lower()]
    return str(found[0]) if found else None


def _claims(authorizer: dict[str, Any]) -> dict[str, Any]:
    """Return what a JWT or a Lambda authorizer says of the caller."""
    return {**((authorizer.get("jwt") or {}).get("claims") or {}), **(authorizer.get("lambda") or {})}


def _malformed(error: ValidationError, model: type[BaseModel], what: str) -> ProblemError:
    reason = rejection(error, model)
    field = reason.field if reason.field != "body" else what
    return ProblemError(problem(ProblemCode.MALFORMED, f"{field} {reason.reason}", field=field))
