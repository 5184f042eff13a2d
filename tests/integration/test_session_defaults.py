"""The service works with any defaults of server, database and role, or says what to change."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from dev.programs.process import ServerProcess, free_port, unprivileged
from dev.servers.postgres import USER
from els_core.adapters.postgres.audit_reader import PostgresAuditReader
from els_core.adapters.postgres.calls import Call
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.errors import SchemaMissingError
from els_core.adapters.postgres.session import Session
from els_core.adapters.postgres.statements import Statement
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.application.audit_batches import AuditBatches
from els_core.application.budgets import always
from els_core.domain.arrivals import Content
from els_core.domain.batches import AssignedSlot
from els_core.domain.errors import ProcessingError
from tests.conftest import migrate
from tests.factories import CORRELATION, content, failure, registration
from tests.integration.environment import PARKING, RETENTION, Environment
from tests.integration.reconciliation import assert_rows_are_consistent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

DEFAULTS = {
    "DateStyle": ("German", "SQL, DMY", "Postgres, MDY"),
    "TimeZone": ("Asia/Kolkata", "America/St_Johns", "Etc/GMT+12"),
    "IntervalStyle": ("sql_standard", "iso_8601"),
    "default_transaction_isolation": ("repeatable read", "serializable"),
    "standard_conforming_strings": ("off",),
    "client_encoding": ("LATIN1",),
    "bytea_output": ("escape",),
    "extra_float_digits": ("-15",),
}
SETTINGS = [f"{name} = '{value}'" for name, values in DEFAULTS.items() for value in values]
ODD_NAME = "it's a \\ 'quoted' \\'name\\' with åäö and \N{GRINNING FACE}.txt"
# The wheel has no ICU, so no collation that sorts by anything but code points.
COLLATIONS = (
    "LOCALE_PROVIDER libc LOCALE 'C.utf8'",
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LOCALE 'C'",
)
HOUR = timedelta(hours=1)
POOLER = """
[databases]
* = host=127.0.0.1 port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
"""

pytestmark = pytest.mark.fault(30)


def exercise(environment: Environment) -> None:
    """Register, provision, close, expire, relay, read the status and audit; assert each outcome."""
    odd = Content("full", "odd", "raw", ODD_NAME, 400, CORRELATION)
    environment.register(registration(2, "full"), registration(2, "late"))
    assert environment.outcomes(odd, failure("f", "full"), content("early", "awaited")) == {
        "assigned": 1,
        "failed": 1,
        "parked": 1,
    }
    assert environment.outcomes(odd, content("a", "late")) == {"duplicate": 1, "assigned": 1}
    full, late = environment.status("full"), environment.status("late")
    assert full is not None
    assert late is not None
    assert ODD_NAME in {one.original_file_name for one in full.items if isinstance(one, AssignedSlot)}
    assert late.overview.batch.deadline is not None
    left = late.overview.batch.deadline - late.overview.now
    assert HOUR - timedelta(minutes=2) < left <= HOUR
    assert audited(environment) == []
    environment.pass_the_deadline()
    assert [one.batch.batch_id for one in environment.expire().closed] == ["late"]
    environment.relay()
    events = environment.bus.event_counts()
    expected = {"EssaySlotsAssigned": 2, "BatchEssaysReady": 1}
    assert events == expected | {"BatchReadinessTimeout": 1, "ParkedContentOverdue": 1}
    assert audited(environment) == []
    assert_rows_are_consistent(environment.engine)


def audited(environment: Environment) -> list[object]:
    """Return what an audit finds."""
    coordinator = RedisCoordinator(environment.redis, RETENTION)
    audit = AuditBatches(
        PostgresAuditReader(Session(environment.engine)),
        coordinator,
        coordinator,
        environment.clock,
        lambda: environment.expire_batches,
        lambda: environment.publish_outbox,
        PARKING,
    )
    return list(audit.run(always).findings)


@pytest.mark.parametrize("level", ["DATABASE", "ROLE"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_default_of_the_database_or_of_the_role_changes_nothing(
    postgres: PostgresServer, database_url: str, valkey: ValkeyServer, level: str, setting: str
) -> None:
    database = database_url.rpartition("/")[2]
    whose = f'ROLE {USER} IN DATABASE "{database}"' if level == "ROLE" else f'DATABASE "{database}"'
    postgres.execute(f"ALTER {whose} SET {setting}")
    environment = Environment(database_url, valkey.url)
    exercise(environment)
    environment.close()


@pytest.mark.parametrize("level", DEFAULTS["default_transaction_isolation"])
def test_every_transaction_is_read_committed(postgres: PostgresServer, database_url: str, level: str) -> None:
    database = database_url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE \"{database}\" SET default_transaction_isolation = '{level}'")
    asked = Statement.of("SELECT current_setting('transaction_isolation')")
    engine = connect(database_url)
    rows = Session(engine).transact(lambda pipeline: pipeline.now(Call("ask", asked, {})).rows)
    with engine.begin() as connection:
        other = connection.exec_driver_sql("SELECT current_setting('transaction_isolation')").scalar()
    engine.dispose()
    assert [[str(value) for value in row] for row in rows] == [["read committed"]]
    assert other == "read committed"


def test_a_wrong_search_path_is_an_error_that_says_what_to_correct(
    postgres: PostgresServer, database_url: str, valkey: ValkeyServer
) -> None:
    database = database_url.rpartition("/")[2]
    postgres.execute(f'ALTER DATABASE "{database}" SET search_path = nowhere')
    environment = Environment(database_url, valkey.url)
    with pytest.raises(SchemaMissingError, match="run migrate_database, or correct the role's search_path"):
        environment.register(registration(1))
    environment.close()


def test_a_database_that_cannot_hold_every_file_name_is_refused_by_the_migration(
    postgres: PostgresServer,
) -> None:
    name = f"latin_{uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(ProcessingError, match="encoding LATIN1: create it with ENCODING 'UTF8'"):
        migrate(postgres.url_of(name))
    postgres.drop_database(name)


@pytest.mark.parametrize("locale", COLLATIONS)
def test_a_database_with_another_collation_works(
    postgres: PostgresServer, valkey: ValkeyServer, locale: str
) -> None:
    name = f"collated_{uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {locale}")
    migrate(postgres.url_of(name))
    environment = Environment(postgres.url_of(name), valkey.url)
    exercise(environment)
    environment.close()
    postgres.drop_database(name)


@pytest.fixture
def pooler_port(postgres: PostgresServer) -> Iterator[int]:
    """Start a pgbouncer in transaction mode, which gives each transaction another connection."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    port = free_port()
    with TemporaryDirectory(prefix="els-pgbouncer-") as name:
        folder = Path(name)
        settings = folder / "pgbouncer.ini"
        settings.write_text(POOLER.format(port=postgres.port, user=USER, listen_port=port), "utf-8")
        folder.chmod(0o755)
        pooler = ServerProcess([program, str(settings)], folder / "log", user=unprivileged())
        pooler.start(lambda: is_ready(port))
        yield port
        pooler.stop()


def is_ready(port: int) -> bool:
    try:
        Connection(USER, host="127.0.0.1", port=port, database="postgres", timeout=5).close()
    except (DatabaseError, InterfaceError, OSError):
        return False
    return True


def test_everything_works_through_a_pooler_that_changes_the_connection_with_each_transaction(
    pooler_port: int, postgres: PostgresServer, database_url: str, valkey: ValkeyServer
) -> None:
    database = database_url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE \"{database}\" SET DateStyle = 'German'")
    environment = Environment(f"postgresql+pg8000://{USER}@127.0.0.1:{pooler_port}/{database}", valkey.url)
    exercise(environment)
    environment.close()


@pytest.mark.parametrize("setting", ["true", "false"])
def test_environments_that_share_the_connection_of_a_pooler_never_fail_because_of_a_name(
    pooler_port: int, database_url: str, valkey: ValkeyServer, setting: str
) -> None:
    # Before 1.21 a pgbouncer mixes names up, since then it keeps track of them.
    url = f"postgresql+pg8000://{USER}@127.0.0.1:{pooler_port}/{database_url.rpartition('/')[2]}"
    environments = [Environment(url, valkey.url) for _ in range(3)]
    for environment in environments:
        environment.session.named = setting == "true"
    environments[0].register(registration(30))
    outcomes = [
        environment.outcomes(content(f"c{number}-of-{at}"))
        for number in range(5)
        for at, environment in enumerate(environments)
    ]
    assert outcomes == [{"assigned": 1}] * 15
    assert_rows_are_consistent(environments[0].engine)
    for environment in environments:
        environment.close()
