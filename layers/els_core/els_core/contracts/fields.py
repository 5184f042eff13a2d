"""The kinds of fields that the wire format knows, with their limits, and the envelope of all events."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

MAX_SLOTS = 2_000
MAX_TIMEOUT_SECONDS = 1_209_600  # 14 days, the longest retention of a queue


def _clean(text: str) -> str:
    """Reject what Postgres cannot store: NUL, and surrogates that stand alone."""
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain lone surrogates")
    return text


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


type Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:\-]+$")]
type FileName = Annotated[str, StringConstraints(max_length=255), AfterValidator(_clean)]
type ShortText = Annotated[str, StringConstraints(max_length=500), AfterValidator(_clean)]
type LongText = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_clean)]
type Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]
type Size = Annotated[int, Field(ge=0, le=2**63 - 1)]
type Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


class WireModel(BaseModel):
    """Strict about types, tolerant of fields that it does not know."""

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
    schema_version: Literal[1]
    traceparent: ShortText | None = None
