"""Runs the migrations on the database of ELS_DATABASE_URL, or on a connection that the caller hands in."""

from threading import Event

from alembic import context
from sqlalchemy import Connection, create_engine, text

from els_core.domain.errors import CoordinationTimeoutError, ProcessingError
from els_core.settings import read_database_url
from migrations.runtime_role import RuntimeRole
from migrations.tables import METADATA

# Two migrations at once wait for each other; the number is arbitrary and only has to be the same everywhere.
ADVISORY_LOCK = {"key": 7_315_001}
LOCK_ATTEMPTS = 60
PAUSE_SECONDS = 1.0

# A migration may take its time, but it may not wait long for a lock: traffic waits behind it, and the
# functions wait 5 s. Whoever runs it tries again. A runner that was frozen or killed must not keep its locks:
# the server ends its session when the connection is gone or nothing comes in the middle of a transaction.
OWN_LIMITS = (
    "SET statement_timeout = '4min'",
    "SET idle_in_transaction_session_timeout = '1min'",
    "SET client_connection_check_interval = '2s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET lock_timeout = '2s'",
)


def migrate(connection: Connection) -> None:
    """Run each migration in a transaction of its own, one runner at a time.

    Raises `ProcessingError` for a database that cannot hold the data, and `CoordinationTimeoutError` when
    another runner holds the lock for longer than a minute.
    """
    context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=True)
    require_utf8(connection)
    for statement in OWN_LIMITS:
        connection.execute(text(statement))
    connection.commit()
    take_lock(connection)
    try:
        with context.begin_transaction():
            context.run_migrations()
        if role := context.config.attributes.get("runtime_role"):
            RuntimeRole(*role).prepare(connection)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), ADVISORY_LOCK)
        connection.execute(text("RESET ALL"))
        connection.commit()


def require_utf8(connection: Connection) -> None:
    """Refuse a database that cannot store every file name."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        details = f"the database has the encoding {encoding}: create it with ENCODING 'UTF8'"
        raise ProcessingError("migrate", service="Postgres", details=details)


def take_lock(connection: Connection) -> None:
    """Wait for another runner, but not for ever: CloudFormation waits for the response."""
    for _ in range(LOCK_ATTEMPTS):
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), ADVISORY_LOCK).scalar_one()
        connection.commit()
        if taken:
            return
        Event().wait(PAUSE_SECONDS)
    details = f"another migration holds the lock for more than {LOCK_ATTEMPTS} seconds"
    raise CoordinationTimeoutError("migrate", service="Postgres", details=details)


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = create_engine(read_database_url())
    with engine.connect() as own:
        migrate(own)
    engine.dispose()
