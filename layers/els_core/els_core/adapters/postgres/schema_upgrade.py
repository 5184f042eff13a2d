"""Upgrades the schema to the head of the migrations that are deployed with this code."""

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

ATTEMPTS = 60  # of 2 s each; fewer than the function's five minutes


def upgrade(engine: Engine, runtime_role: tuple[str, bool] | None = None) -> str:
    """Run `alembic upgrade head` and return the revision.

    `runtime_role` is the role of the functions where another one owns the schema, and whether it logs in with
    an IAM token: it is made if it is missing, and may read and write rows. A revision that these migrations
    do not know was made by newer code; that schema stays as it is.
    """
    config = Config()
    config.set_main_option("script_location", _migrations())
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        config.attributes["runtime_role"] = runtime_role
        current = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        if current is None or current in known:
            _upgrade_patiently(config)
            current = MigrationContext.configure(connection).get_current_revision()
    return str(current)


def _upgrade_patiently(config: Config) -> None:
    """Retry when a lock was not available; traffic that waited behind the migration goes first."""
    for left in reversed(range(ATTEMPTS)):
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            if not left or not isinstance(fault_of(error, "migrate"), CoordinationTimeoutError):
                raise
        else:
            return


def _migrations() -> str:
    """Return the folder of the migrations, which are deployed as a layer of their own."""
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the folder migrations is not importable: deploy the migrations layer")
    return next(iter(spec.submodule_search_locations))
