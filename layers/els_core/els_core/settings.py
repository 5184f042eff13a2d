"""The settings, read and validated once; the only file that names environment variables."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from els_core import urls

# Longer than a message can live in a queue and then in its dead-letter queue (14 days each), so that a
# redriven registration always finds its batch.
MIN_RETENTION_DAYS = 29
MAX_RETENTION_DAYS = 36_500
MAX_SECONDS = 1_209_600  # 14 days, the longest retention of a queue

DATABASE_URL = "postgresql+pg8000://user@host:5432/database, or ...@/database?unix_sock=/path"
REDIS_URL = "redis://host:6379 or rediss://user@host:6379"


_NUMBER = re.compile(r"[0-9]{1,9}")
_EVENT_BUS = r"^(?:arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/)?[A-Za-z0-9/._-]{1,256}$"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says what is expected."""


def _boolean(text: object) -> object:
    if text in {"true", "false"}:
        return text == "true"
    raise ValueError("boolean")


def _number(text: object) -> object:
    """Refuse what Python also takes for a number, such as "1_000" and "5.0"."""
    if isinstance(text, str) and _NUMBER.fullmatch(text):
        return int(text)
    raise ValueError("number")


class Settings(BaseModel):
    """The configuration of a deployment; a field is its variable in lower case without `ELS_`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    database_url: Annotated[
        str, Field(alias="ELS_DATABASE_URL", description=DATABASE_URL), AfterValidator(urls.database_url)
    ]
    database_owner_url: Annotated[
        str | None,
        Field(
            alias="ELS_DATABASE_OWNER_URL",
            description=f"the same database as the role that owns the schema, or nothing: {DATABASE_URL}",
        ),
        AfterValidator(urls.optional(urls.database_url)),
    ] = None
    named_statements: Annotated[
        bool,
        Field(
            alias="ELS_NAMED_STATEMENTS",
            description="false behind a pooler that gives transactions another connection, else true",
        ),
        BeforeValidator(_boolean),
    ] = True
    redis_url: Annotated[
        str, Field(alias="ELS_REDIS_URL", description=REDIS_URL), AfterValidator(urls.redis_url)
    ]
    redis_cluster: Annotated[
        bool,
        Field(alias="ELS_REDIS_CLUSTER", description="true when Redis is a cluster, else false"),
        BeforeValidator(_boolean),
    ] = False
    event_bus: Annotated[
        str | None,
        Field(
            alias="ELS_EVENT_BUS",
            pattern=_EVENT_BUS,
            description="the name or ARN of the outbound event bus; there is no default",
        ),
    ] = None
    dead_letter_queue_url: Annotated[
        str | None,
        Field(
            alias="ELS_DEAD_LETTER_QUEUE_URL",
            description="the URL of the function's own dead-letter queue",
        ),
        AfterValidator(urls.optional(urls.queue_url)),
    ] = None
    queue_urls: Annotated[
        str | None,
        Field(
            alias="ELS_QUEUE_URLS",
            description="the queues to watch, as name=URL, with commas between them",
        ),
        AfterValidator(urls.optional(urls.queue_urls)),
    ] = None
    dead_letter_queue_urls: Annotated[
        str | None,
        Field(
            alias="ELS_DEAD_LETTER_QUEUE_URLS",
            description="their dead-letter queues under the same names, as name=URL with commas between",
        ),
        AfterValidator(urls.optional(urls.queue_urls)),
    ] = None
    aws_endpoint_url: Annotated[
        str | None,
        Field(
            alias="AWS_ENDPOINT_URL",
            description="http://host:port of an emulator of AWS; nothing in AWS. The SDK reads it itself",
        ),
        AfterValidator(urls.optional(urls.endpoint_url)),
    ] = None
    organisation_claim: Annotated[
        str | None,
        Field(
            alias="ELS_ORGANISATION_CLAIM",
            pattern=r"^[A-Za-z0-9_.:/-]{1,128}$",
            description="the claim that names the only organisation whose batches a caller may see",
        ),
    ] = None
    default_timeout_seconds: Annotated[
        int,
        Field(
            alias="ELS_DEFAULT_TIMEOUT_SECONDS",
            ge=1,
            le=MAX_SECONDS,
            description=f"seconds, 1 to {MAX_SECONDS}",
        ),
        BeforeValidator(_number),
    ] = 86_400
    parking_seconds: Annotated[
        int,
        Field(alias="ELS_PARKING_SECONDS", ge=1, le=MAX_SECONDS, description=f"seconds, 1 to {MAX_SECONDS}"),
        BeforeValidator(_number),
    ] = 3_600
    retention_days: Annotated[
        int,
        Field(
            alias="ELS_RETENTION_DAYS",
            ge=MIN_RETENTION_DAYS,
            le=MAX_RETENTION_DAYS,
            description=f"days, {MIN_RETENTION_DAYS} (longer than all queues together keep a message) to "
            f"{MAX_RETENTION_DAYS}",
        ),
        BeforeValidator(_number),
    ] = 90

    @property
    def parking(self) -> timedelta:
        """Return how long an arrival may be parked before it is announced as overdue."""
        return timedelta(seconds=self.parking_seconds)

    @property
    def retention(self) -> timedelta:
        """Return how long a batch is kept after its last change."""
        return timedelta(days=self.retention_days)

    @property
    def required_event_bus(self) -> str:
        """Return the outbound bus; raise `SettingsError` if none is named, since there is no safe default."""
        return _required("ELS_EVENT_BUS", self.event_bus)

    @property
    def required_dead_letter_queue_url(self) -> str:
        """Return the function's own dead-letter queue; raise `SettingsError` if none is named."""
        return _required("ELS_DEAD_LETTER_QUEUE_URL", self.dead_letter_queue_url)

    @property
    def required_queue_urls(self) -> dict[str, str]:
        """Return the queues to watch by name; raise `SettingsError` if none is named."""
        return urls.by_name(_required("ELS_QUEUE_URLS", self.queue_urls))

    @property
    def required_dead_letter_queue_urls(self) -> dict[str, str]:
        """Return the dead-letter queues to watch by name; raise `SettingsError` unless each queue has one.

        There may be others, such as the queue of events that no rule takes.
        """
        name = "ELS_DEAD_LETTER_QUEUE_URLS"
        found = urls.by_name(_required(name, self.dead_letter_queue_urls))
        if not found.keys() >= self.required_queue_urls.keys():
            raise SettingsError(_complaint(name, {name: ""}))
        return found


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and validate the settings; raise `SettingsError` naming each missing or wrong variable."""
    known = {
        alias: environment[alias]
        for field in Settings.model_fields.values()
        if (alias := str(field.alias)) in environment
    }
    try:
        return Settings.model_validate(known)
    except ValidationError as error:
        wrong = sorted({str(problem["loc"][0]) for problem in error.errors(include_input=False)})
        raise SettingsError("; ".join(_complaint(name, known) for name in wrong)) from None


def read_database_url(environment: Mapping[str, str] = os.environ) -> str:
    """Return the database of the migrations, which need nothing else; raise `SettingsError` without it."""
    try:
        return urls.database_url(environment["ELS_DATABASE_URL"])
    except (KeyError, ValueError):
        raise SettingsError(_complaint("ELS_DATABASE_URL", environment)) from None


def _required(name: str, value: str | None) -> str:
    if value is None:
        raise SettingsError(_complaint(name, {}))
    return value


def _complaint(name: str, known: Mapping[str, str]) -> str:
    expected = next(f.description for f in Settings.model_fields.values() if f.alias == name)
    return f"{name} is {'wrong' if name in known else 'missing'}: expected {expected}"
