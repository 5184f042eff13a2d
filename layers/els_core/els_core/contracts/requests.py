"""The requests of the HTTP API: query parameters, of which unknown ones are refused, and bodies."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from els_core.contracts.commands import CommandArguments
from els_core.contracts.fields import Id, Moment, ShortText
from els_core.domain.batches import Status

# So that an answer stays below 1 MB: a batch takes 1 kB in a list, an entry of a history up to 7 kB.
MAX_BATCHES, MAX_ROWS = 500, 100
IDEMPOTENCY_KEY = "Idempotency-Key"

type Token = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[A-Za-z0-9_=\-]+$")]
type QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]


def _count(text: object) -> object:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < len("1000000000"):
        return int(text)
    raise PydanticCustomError("int_type", "must be an integer")


type BatchCount = Annotated[int, Field(ge=1, le=MAX_BATCHES), BeforeValidator(_count)]
type RowCount = Annotated[int, Field(ge=1, le=MAX_ROWS), BeforeValidator(_count)]


class View(StrEnum):
    """How much of personal data an answer shows."""

    BASIC = "basic"
    FULL = "full"


class Query(BaseModel):
    """The query of a route; a parameter that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListQuery(Query):
    """The query of `GET /batches`."""

    status: Status | None = None
    stuck: Annotated[
        Literal["true"] | None, Field(description="only batches that wait for the service itself")
    ] = None
    parked: Annotated[Literal["true"] | None, Field(description="only batches with parked arrivals")] = None
    user_id: Id | None = None
    org_id: Id | None = None
    course_code: ShortText | None = None
    created_after: Moment | None = None
    page_size: BatchCount = 100
    page_token: Token | None = None


class BatchQuery(Query):
    """The query of `GET /batches/{batch_id}`."""

    view: View = View.BASIC
    page_token: Token | None = None


class PageQuery(Query):
    """The query of a list without filters."""

    page_size: RowCount = MAX_ROWS
    page_token: Token | None = None


class DeadLetterQuery(Query):
    """The query of `GET /dead-letters`."""

    view: View = View.BASIC
    queue: QueueName | None = None


class NoQuery(Query):
    """The query of a route that takes none."""


class CommandBody(CommandArguments):
    """The body of `POST /batches/{batch_id}/commands`.

    A field that is not known is refused: a mistyped `dry_run` must not become a command in earnest.
    """

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = False


class RedriveBody(BaseModel):
    """The body of `POST /dead-letters/redrive`: from which dead-letter queue, and how many at most."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    queue: QueueName
    max_count: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    dry_run: bool = False
