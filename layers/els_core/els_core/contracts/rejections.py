"""Why an inbound event is rejected: a code, the field and a rule, in words of our own.

Nothing here repeats the input: a reason ends up in logs and in the dead-letter queue, and the input may hold
personal data. Limits come from the models, never from what was sent.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from els_core.application.messages import PoisonMessage

INVALID_JSON = "INVALID_JSON"
MISSING_FIELD = "MISSING_FIELD"
WRONG_DETAIL_TYPE = "WRONG_DETAIL_TYPE"
INVALID_FIELD = "INVALID_FIELD"

_CODES = {
    "json_invalid": INVALID_JSON,
    "missing": MISSING_FIELD,
    "union_tag_invalid": WRONG_DETAIL_TYPE,
    "union_tag_not_found": WRONG_DETAIL_TYPE,
}

# By Pydantic's error types. A template takes the limits of the model from the error's context.
# https://docs.pydantic.dev/latest/errors/validation_errors/
_RULES = {
    "json_invalid": "the body is not valid JSON",
    "missing": "is required",
    "union_tag_invalid": "is not a detail-type of this queue",
    "union_tag_not_found": "is required",
    "literal_error": "must be {expected}",
    "enum": "must be one of {expected}",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "string_unicode": "must be valid Unicode",
    "int_type": "must be an integer",
    "int_parsing_size": "must be a 64-bit integer",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "datetime_type": "must be an ISO 8601 timestamp",
    "datetime_parsing": "must be an ISO 8601 timestamp",
    "datetime_from_date_parsing": "must be an ISO 8601 timestamp",
    "datetime_object_invalid": "must be an ISO 8601 timestamp",
    "datetime_range": "must lie in the years 1 to 9999 in UTC",
    "timezone_aware": "must have a time zone",
    "extra_forbidden": "is not known here",
    "bool_type": "must be true or false",
    "nul": "must not contain NUL",
    "lone_surrogates": "must not contain lone surrogates",
    "essay_ids": "must be distinct",
    "expected_essay_count": "must be the number of essay_ids",
    "add_slots": "must be distinct",
    "missing_argument": "is required for this command",
    "unexpected_argument": "does not belong to this command",
}
_UNKNOWN_RULE = "is not valid"
_MODEL_LIMITS = ("expected", "min_length", "max_length", "pattern", "ge", "le")
# Errors of a whole model that are about one of its fields.
_ABOUT_A_FIELD = ("essay_ids", "expected_essay_count", "add_slots")


def rejection(error: ValidationError, *models: type[BaseModel]) -> PoisonMessage:
    """Return why the body is rejected: its first error, with the path of the field inside these models."""
    first = error.errors(include_url=False, include_input=False)[0]
    kind = first["type"]
    about = kind if kind in _ABOUT_A_FIELD else first.get("ctx", {}).get("argument")
    path = [*_known(first["loc"], _field_names(models)), *([about] if about else [])]
    if _CODES.get(kind) == WRONG_DETAIL_TYPE or path == ["detail-type"]:
        return PoisonMessage(WRONG_DETAIL_TYPE, "detail-type", _rule(kind, first.get("ctx", {})))
    code = _CODES.get(kind, INVALID_FIELD)
    return PoisonMessage(code, ".".join(path) or "body", _rule(kind, first.get("ctx", {})))


def not_utf8() -> PoisonMessage:
    """Return why a body is rejected that cannot be encoded as UTF-8."""
    return PoisonMessage(INVALID_JSON, "body", "the body is not valid UTF-8")


def replaces_itself() -> PoisonMessage:
    """Return why an arrival is rejected that names itself as the one that it replaces."""
    return PoisonMessage(INVALID_FIELD, "detail.data.supersedes", "must name another arrival")


def _rule(kind: str, context: dict[str, Any]) -> str:
    limits = {name: context[name] for name in _MODEL_LIMITS if name in context}
    try:
        return _RULES.get(kind, _UNKNOWN_RULE).format(**limits)
    except KeyError:
        return _UNKNOWN_RULE


def _known(location: tuple[int | str, ...], names: frozenset[str]) -> Iterator[str]:
    """Yield the field names and list positions of a path; a name that the models do not have is left out."""
    for part in location:
        if isinstance(part, int) or part in names:
            yield str(part)


def _field_names(models: tuple[type[BaseModel], ...]) -> frozenset[str]:
    return frozenset(
        name
        for model in models
        for field, info in model.model_fields.items()
        for name in (field, info.alias)
        if name is not None
    )
