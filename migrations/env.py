"""Runs the migrations on the database of ELS_DATABASE_URL, or on a connection that the caller hands in."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, text

# Two migrations at once wait for each other; the number is arbitrary and only has to be the same everywhere.
ADVISORY_LOCK = 7_315_001


def migrate(connection: Connection) -> None:
    """Run the migrations in one transaction, one runner at a time."""
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = create_engine(os.environ["ELS_DATABASE_URL"])
    with engine.connect() as own:
        migrate(own)
    engine.dispose()
