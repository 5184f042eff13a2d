"""The settings, read and validated once; the only file that names environment variables."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# Longer than a message can live in a queue and then in its dead-letter queue (14 days each), so that a
# redriven registration always finds its batch.
MIN_RETENTION_DAYS = 29


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says what is expected."""


class Settings(BaseModel):
    """The configuration of a deployment; a field is its variable in lower case without `ELS_`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    database_url: Annotated[
        str,
        Field(
            alias="ELS_DATABASE_URL",
            pattern=r"^postgresql\+pg8000://",
            description="postgresql+pg8000://user@host:5432/database",
        ),
    ]
    redis_url: Annotated[
        str,
        Field(
            alias="ELS_REDIS_URL",
            pattern=r"^rediss?://",
            description="redis://host:6379 or rediss://user@host:6379",
        ),
    ]
    redis_cluster: Annotated[
        bool, Field(alias="ELS_REDIS_CLUSTER", description="true when Redis is a cluster, else false")
    ] = False
    event_bus: Annotated[
        str, Field(alias="ELS_EVENT_BUS", min_length=1, description="the name of the outbound event bus")
    ] = "default"
    dead_letter_queue_url: Annotated[
        str,
        Field(alias="ELS_DEAD_LETTER_QUEUE_URL", description="the URL of the function's dead-letter queue"),
    ] = ""
    default_timeout_seconds: Annotated[
        int,
        Field(alias="ELS_DEFAULT_TIMEOUT_SECONDS", ge=1, le=1_209_600, description="seconds, 1 to 1209600"),
    ] = 86_400
    parking_seconds: Annotated[
        int, Field(alias="ELS_PARKING_SECONDS", ge=1, description="seconds, 1 or more")
    ] = 3_600
    retention_days: Annotated[
        int,
        Field(
            alias="ELS_RETENTION_DAYS",
            ge=MIN_RETENTION_DAYS,
            description=f"days, {MIN_RETENTION_DAYS} or more: longer than all queues together keep a message",
        ),
    ] = 90

    @property
    def parking(self) -> timedelta:
        """Return how long an arrival may be parked before it is announced as overdue."""
        return timedelta(seconds=self.parking_seconds)

    @property
    def retention(self) -> timedelta:
        """Return how long a batch is kept after its last change."""
        return timedelta(days=self.retention_days)


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
    if "ELS_DATABASE_URL" not in environment:
        raise SettingsError(_complaint("ELS_DATABASE_URL", environment))
    return environment["ELS_DATABASE_URL"]


def _complaint(name: str, known: Mapping[str, str]) -> str:
    expected = next(f.description for f in Settings.model_fields.values() if f.alias == name)
    return f"{name} is {'wrong' if name in known else 'missing'}: expected {expected}"
