"""The field types of the wire format with their limits, and the envelope of all events."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

MAX_SLOTS = 2_000
MAX_TIMEOUT_SECONDS = 1_209_600  # 14 days, the longest retention of a queue

ID = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")  # what `Id` takes

_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d", re.ASCII)


def _clean(text: str) -> str:
    """Reject what Postgres cannot store: NUL, and lone surrogates."""
    if "\x00" in text:
        raise PydanticCustomError("nul", "must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("lone_surrogates", "must not contain lone surrogates")
    return text


def _integer(value: object) -> object:
    """Reject what only equals an integer, such as `true` and 1.0."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "must be an integer")
    return value


def _timestamp(value: object) -> object:
    """Parse a moment; reject what only resembles one, such as a number of seconds in a string."""
    if isinstance(value, str) and _DATE_AND_TIME.match(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, datetime):
        return value
    raise PydanticCustomError("datetime_parsing", "must be an ISO 8601 timestamp")


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "must lie in the years 1 to 9999 in UTC") from None


type Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:\-]+$")]
# Of the arrival that another one replaces: the kind of id that it is made of, and the id.
type Identity = Annotated[str, StringConstraints(pattern=r"^(content|upload|event):[A-Za-z0-9_.:\-]{1,128}$")]
type FileName = Annotated[str, StringConstraints(max_length=255), AfterValidator(_clean)]
type ShortText = Annotated[str, StringConstraints(max_length=500), AfterValidator(_clean)]
type LongText = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_clean)]
type Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]
type Size = Annotated[int, Field(ge=0, le=2**63 - 1)]
type Moment = Annotated[AwareDatetime, BeforeValidator(_timestamp), AfterValidator(_utc)]
type SchemaVersion = Annotated[Literal[1], BeforeValidator(_integer)]


class WireModel(BaseModel):
    """Strict about types; unknown fields are ignored."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, json_schema_serialization_defaults_required=True
    )


class Metadata(WireModel):
    """The envelope that every event carries in its `detail`."""

    # An event without a trace has no `traceparent`, so its schema must not require one.
    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    event_id: UUID
    correlation_id: UUID
    occurred_at: Moment
    source_service: ShortText
    schema_version: SchemaVersion
    traceparent: ShortText | None = None
