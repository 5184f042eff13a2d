"""Upgrades the schema to the newest migration of the migrations layer."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from els_core.adapters.postgres.errors import fault_of
from els_core.domain.errors import CoordinationTimeoutError

if TYPE_CHECKING:
    from sqlalchemy import Engine

ATTEMPTS = 60  # of at most 2 s each, within the 300 s of the function


def upgrade(engine: Engine) -> str:
    """Run `alembic upgrade head` and return the revision.

    A revision that these migrations do not contain is that of a newer release: the schema stays as it is.
    """
    config = Config()
    config.set_main_option("script_location", _migrations())
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        if current is None or current in known:
            _upgrade_with_retries(config)
            current = MigrationContext.configure(connection).get_current_revision()
    return str(current)


def _upgrade_with_retries(config: Config) -> None:
    """Retry after a lock timeout, so that the traffic that queued behind the migration goes first."""
    for left in reversed(range(ATTEMPTS)):
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            if not left or not isinstance(fault_of(error, "upgrade schema"), CoordinationTimeoutError):
                raise
        else:
            return


def _migrations() -> str:
    """Return the folder of the migrations, which are a layer of their own."""
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("cannot import migrations: add the migrations layer to the function")
    return next(iter(spec.submodule_search_locations))
