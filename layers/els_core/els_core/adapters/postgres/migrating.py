"""Brings the schema up to date with the migrations that lie beside this code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Where Lambda unpacks a layer.
MIGRATIONS = Path("/opt/migrations")


def upgrade(engine: Engine, migrations: Path = MIGRATIONS) -> str:
    """Run `alembic upgrade head` and return the revision.

    A revision unknown to these migrations was made by newer code: the database is ahead and stays as it is.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is None or current in known:
            connection.rollback()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            current = MigrationContext.configure(connection).get_current_revision()
    return str(current)
