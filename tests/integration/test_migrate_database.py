"""The migrations run again safely, and CloudFormation is answered however they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core import bootstrap
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.schema_upgrade import upgrade
from els_core.domain.errors import EventBusMissingError
from tests.integration.lambda_functions import call

if TYPE_CHECKING:
    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue


def test_migrating_again_or_a_database_ahead_is_fine(database_url: str, postgres: PostgresServer) -> None:
    engine = connect(database_url)
    assert upgrade(engine) == "0006"
    name = str(engine.url.database)
    postgres.execute("UPDATE alembic_version SET version_num = 'newer'", database=name)
    assert upgrade(engine) == "newer"
    engine.dispose()


def test_the_function_returns_the_revision_to_whoever_invokes_it_by_hand(
    dead_letter_queue: DeadLetterQueue,
) -> None:
    assert call("migrate_database", {}) == {"revision": "0006"}
    assert dead_letter_queue.messages() == []


@pytest.mark.fault(24)
def test_a_deployment_whose_bus_does_not_exist_fails(
    dead_letter_queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELS_EVENT_BUS", "mistyped")
    bootstrap.container.cache_clear()
    with pytest.raises(EventBusMissingError, match="ELS_EVENT_BUS"):
        call("migrate_database", {})
    assert dead_letter_queue.messages() == []
