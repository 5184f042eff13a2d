"""Runs the migrations on the database of ELS_DATABASE_URL, or on the connection of the caller."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

from els_core.settings import read_database_url
from migrations.tables import METADATA

# Serialises concurrent migrations. The number is arbitrary, but must be the same everywhere.
ADVISORY_LOCK = {"key": 7_315_001}

# A migration may run for long, but must not wait long for a lock: traffic queues behind it, and the functions
# wait for 5 s. The caller retries.
OWN_LIMITS = (
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    "SET lock_timeout = 0",
    "SELECT pg_advisory_lock(:key)",
    "SET lock_timeout = '2s'",
)


def migrate(connection: Connection) -> None:
    """Run each migration in a transaction of its own, while no other process migrates."""
    context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=True)
    for statement in OWN_LIMITS:
        connection.execute(text(statement), ADVISORY_LOCK if ":" in statement else {})
    connection.commit()
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), ADVISORY_LOCK)
        connection.execute(text("RESET ALL"))
        connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = create_engine(read_database_url())
    with engine.connect() as own:
        migrate(own)
    engine.dispose()
