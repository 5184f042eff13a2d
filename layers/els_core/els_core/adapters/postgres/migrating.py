"""Brings the schema up to date with the migrations that lie beside this code."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Engine


def upgrade(engine: Engine) -> str:
    """Run `alembic upgrade head` and return the revision.

    A revision unknown to these migrations was made by newer code: the database is ahead and stays as it is.
    """
    config = Config()
    config.set_main_option("script_location", _migrations())
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


def _migrations() -> str:
    """Return the folder of the migrations, which travel as a layer of their own."""
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the folder migrations is not importable: deploy the migrations layer")
    return next(iter(spec.submodule_search_locations))
