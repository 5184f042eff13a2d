"""One role owns the schema and migrates; that of the functions reads and writes rows, within time limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.schema_upgrade import upgrade
from els_core.bootstrap import Container
from els_core.domain.batches import Status
from els_core.domain.commands import Reopen
from els_core.domain.errors import ProcessingError
from els_core.settings import read_settings
from migrations.runtime_role import LIMITS
from tests.factories import command_request, content, registration
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer


class Roles:
    """An empty database whose owner may make roles, as Aurora's first user may; no other role exists yet."""

    def __init__(self, postgres: PostgresServer) -> None:
        mark = uuid4().hex[:8]
        self.postgres, self.database = postgres, f"roles_{mark}"
        self.owner, self.runtime = f"owner-{mark}", f"runtime-{mark}"
        postgres.create_database(self.database)
        postgres.execute(f'CREATE ROLE "{self.owner}" LOGIN CREATEROLE')
        postgres.execute(f'ALTER DATABASE "{self.database}" OWNER TO "{self.owner}"')

    def url_of(self, role: str) -> str:
        return f"postgresql+pg8000://{role}@127.0.0.1:{self.postgres.port}/{self.database}"

    def upgrade(self, *, logs_in_with_iam: bool = True) -> str:
        engine = connect(self.url_of(self.owner), is_patient=True)
        try:
            return upgrade(engine, (self.runtime, logs_in_with_iam))
        finally:
            engine.dispose()

    def drop(self) -> None:
        self.postgres.drop_database(self.database)
        for role in (self.runtime, self.owner):
            self.postgres.execute(f'DROP ROLE IF EXISTS "{role}"')


@pytest.fixture
def roles(postgres: PostgresServer) -> Iterator[Roles]:
    made = Roles(postgres)
    yield made
    made.drop()


@pytest.fixture
def as_functions(roles: Roles) -> Iterator[Engine]:
    roles.upgrade()
    engine = create_engine(roles.url_of(roles.runtime))
    yield engine
    engine.dispose()


def test_the_functions_do_all_their_work_with_the_role_that_the_migration_made(
    roles: Roles, valkey: ValkeyServer
) -> None:
    roles.upgrade()
    environment = Environment(roles.url_of(roles.runtime), valkey.url)
    environment.provision(content("a"))
    environment.register(registration(1))
    assert environment.snapshot().batch.status is Status.READY
    assert environment.outcomes(content("late", supersedes="content:a")) == {"excess": 1}
    environment.steer_batch.steer([command_request(Reopen(60))])
    assert [slot.text_storage_id for slot in environment.snapshot().assigned] == ["late"]
    environment.expire()
    environment.relay()
    environment.close()


def test_the_functions_have_the_time_limits_and_the_owner_migrates_without_them(as_functions: Engine) -> None:
    with as_functions.connect() as connection:
        limits = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in LIMITS}
    assert limits == LIMITS


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n integer)",
        "ALTER TABLE batches ADD COLUMN mine integer",
        "DROP TABLE outbox",
        "TRUNCATE outbox",
        "UPDATE alembic_version SET version_num = 'mine'",
        "CREATE ROLE mine",
    ],
)
def test_the_functions_cannot_change_the_schema(as_functions: Engine, statement: str) -> None:
    with as_functions.connect() as connection, pytest.raises(DatabaseError, match="42501"):
        connection.execute(text(statement))


def test_migrating_again_changes_nothing_and_gives_the_rights_on_new_tables(roles: Roles) -> None:
    revision = roles.upgrade()
    roles.postgres.execute(f'REVOKE ALL ON outbox FROM "{roles.runtime}"', roles.database)
    assert roles.upgrade() == revision
    granted = f"SELECT has_table_privilege('{roles.runtime}', 'outbox', 'INSERT')"
    assert roles.postgres.execute(granted, roles.database) == [[True]]


def test_on_aurora_the_role_logs_in_with_iam(roles: Roles) -> None:
    roles.postgres.execute("CREATE ROLE rds_iam")
    try:
        roles.postgres.execute(f'GRANT rds_iam TO "{roles.owner}" WITH ADMIN OPTION')
        roles.upgrade()
        member = f"SELECT pg_has_role('{roles.runtime}', 'rds_iam', 'MEMBER')"
        assert roles.postgres.execute(member) == [[True]]
    finally:
        roles.drop()
        roles.postgres.execute("DROP ROLE rds_iam")


def test_a_role_with_a_password_is_not_made_here(roles: Roles) -> None:
    with pytest.raises(ProcessingError, match=f"{roles.runtime} does not exist, .* create it"):
        roles.upgrade(logs_in_with_iam=False)


def test_the_migration_names_what_the_owner_may_not_do_until_it_is_done(roles: Roles) -> None:
    roles.postgres.execute(f'CREATE ROLE "{roles.runtime}" LOGIN')
    with pytest.raises(ProcessingError, match=r"let an administrator run it") as refused:
        roles.upgrade(logs_in_with_iam=False)
    assert f'ALTER ROLE "{roles.runtime}" IN DATABASE' in str(refused.value)
    for limit, value in LIMITS.items():
        change = f"SET {limit} = '{value}'"
        roles.postgres.execute(f'ALTER ROLE "{roles.runtime}" IN DATABASE "{roles.database}" {change}')
    assert roles.upgrade(logs_in_with_iam=False)


@pytest.mark.parametrize("is_apart", [True, False], ids=["two roles", "one role"])
def test_the_migration_prepares_the_role_of_the_functions_when_it_is_another(
    roles: Roles, monkeypatch: pytest.MonkeyPatch, *, is_apart: bool
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        "els_core.adapters.postgres.schema_upgrade.upgrade",
        lambda engine, role=None: asked.append((engine, role)),
    )
    owner = roles.url_of(roles.owner)
    settings = {
        "ELS_DATABASE_URL": roles.url_of(roles.runtime) if is_apart else owner,
        "ELS_DATABASE_OWNER_URL": owner,
        "ELS_REDIS_URL": "redis://h:6379",
    }
    Container(read_settings(settings)).migrate_database()
    [(engine, role)] = asked
    assert engine.url.username == roles.owner
    assert role == ((roles.runtime, False) if is_apart else None)
