"""The settings, read and validated once; the only file that names environment variables."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

# Longer than a message can live in a queue and then in its dead-letter queue (14 days each), so that a
# redriven registration always finds its batch.
MIN_RETENTION_DAYS = 29
MAX_RETENTION_DAYS = 36_500
MAX_SECONDS = 1_209_600  # 14 days, the longest retention of a queue

DATABASE_URL = "postgresql+pg8000://user@host:5432/database, or ...@/database?unix_sock=/path"
REDIS_URL = "redis://host:6379 or rediss://user@host:6379"


_NUMBER = re.compile(r"[0-9]{1,9}")
_QUEUE_URL = r"[a-z_]+=https?://[^/\s,=]+/[^\s,=]+"
_QUEUE_URLS = f"^{_QUEUE_URL}(?:,{_QUEUE_URL})*$"
_REDIS_DATABASE = re.compile(r"/?|/[0-9]{1,9}")


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says what is expected."""


def _url(text: str, schemes: set[str], parameters: Mapping[str, set[str] | None]) -> str:
    """Check scheme, host, port and parameters; a parameter with a set takes one of its values."""
    if not text.isprintable() or " " in text or "#" in text:
        raise ValueError("a character that no URL has")
    parts = urlsplit(text)  # a port that is no number raises ValueError when it is read
    given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    if parts.scheme not in schemes or parts.port == 0 or any(name not in parameters for name, _ in given):
        raise ValueError("scheme, port or parameter")
    for name, value in given:
        allowed = parameters[name]
        if not value or (allowed is not None and value not in allowed):
            raise ValueError("value of a parameter")
    if len(dict(given)) < len(given):
        raise ValueError("a parameter that stands twice")
    if "," in parts.netloc or (not parts.hostname and "unix_sock" not in dict(given)):
        raise ValueError("host")
    return text


def _database_url(text: str) -> str:
    _url(text, {"postgresql+pg8000"}, {"unix_sock": None, "sslmode": {"disable", "verify-full"}})
    parts = urlsplit(text)
    if len(parts.path) < len("/d") or not parts.username:
        raise ValueError("database or user")
    return text


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    if not _REDIS_DATABASE.fullmatch(parts.path):
        raise ValueError("database")
    return _url(text, {"redis", "rediss"}, {"ssl_ca_certs": None} if parts.scheme == "rediss" else {})


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
        str, Field(alias="ELS_DATABASE_URL", description=DATABASE_URL), AfterValidator(_database_url)
    ]
    database_owner_url: Annotated[
        str | None,
        Field(
            alias="ELS_DATABASE_OWNER_URL",
            description=f"the same database as the role that owns the schema, or nothing: {DATABASE_URL}",
        ),
        AfterValidator(lambda text: None if text is None else _database_url(text)),
    ] = None
    named_statements: Annotated[
        bool,
        Field(
            alias="ELS_NAMED_STATEMENTS",
            description="false behind a pooler that gives transactions another connection, else true",
        ),
        BeforeValidator(_boolean),
    ] = True
    redis_url: Annotated[str, Field(alias="ELS_REDIS_URL", description=REDIS_URL), AfterValidator(_redis_url)]
    redis_cluster: Annotated[
        bool,
        Field(alias="ELS_REDIS_CLUSTER", description="true when Redis is a cluster, else false"),
        BeforeValidator(_boolean),
    ] = False
    event_bus: Annotated[
        str | None,
        Field(
            alias="ELS_EVENT_BUS",
            pattern=r"^[A-Za-z0-9/._:-]{1,1600}$",
            description="the name or ARN of the outbound event bus; there is no default",
        ),
    ] = None
    dead_letter_queue_url: Annotated[
        str | None,
        Field(
            alias="ELS_DEAD_LETTER_QUEUE_URL",
            pattern=r"^https?://[^/\s]+/\S+$",
            description="the URL of the function's own dead-letter queue",
        ),
    ] = None
    queue_urls: Annotated[
        str | None,
        Field(
            alias="ELS_QUEUE_URLS",
            pattern=_QUEUE_URLS,
            description="the queues to watch, as name=URL, with commas between them",
        ),
    ] = None
    dead_letter_queue_urls: Annotated[
        str | None,
        Field(
            alias="ELS_DEAD_LETTER_QUEUE_URLS",
            pattern=_QUEUE_URLS,
            description="their dead-letter queues under the same names, as name=URL with commas between",
        ),
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
        return _by_name(_required("ELS_QUEUE_URLS", self.queue_urls))

    @property
    def required_dead_letter_queue_urls(self) -> dict[str, str]:
        """Return the dead-letter queues to watch by name; raise `SettingsError` if none is named."""
        return _by_name(_required("ELS_DEAD_LETTER_QUEUE_URLS", self.dead_letter_queue_urls))


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
        return _database_url(environment["ELS_DATABASE_URL"])
    except (KeyError, ValueError):
        raise SettingsError(_complaint("ELS_DATABASE_URL", environment)) from None


def _by_name(urls: str) -> dict[str, str]:
    return dict(pair.split("=", maxsplit=1) for pair in urls.split(","))


def _required(name: str, value: str | None) -> str:
    if value is None:
        raise SettingsError(_complaint(name, {}))
    return value


def _complaint(name: str, known: Mapping[str, str]) -> str:
    expected = next(f.description for f in Settings.model_fields.values() if f.alias == name)
    return f"{name} is {'wrong' if name in known else 'missing'}: expected {expected}"
