"""The migrations run again safely, and CloudFormation is answered however they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from els_core import bootstrap
from els_core.adapters.aws.custom_resource import PHYSICAL_ID, answer
from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.schema_upgrade import upgrade
from tests.integration.lambda_functions import call, example_event

if TYPE_CHECKING:
    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue


def test_migrating_twice_or_a_newer_database_is_a_success(
    database_url: str, postgres: PostgresServer
) -> None:
    engine = connect(database_url)
    assert upgrade(engine) == "0002"
    name = str(engine.url.database)
    postgres.execute("UPDATE alembic_version SET version_num = 'newer'", database=name)
    assert upgrade(engine) == "newer"
    engine.dispose()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the answers to CloudFormation."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "els_core.adapters.aws.custom_resource.PoolManager.request",
        lambda _self, _method, _url, body, **_: sent.append(json.loads(body)),
    )
    return sent


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_cloudformation_is_answered_even_after_a_failure(
    answers: list[dict[str, Any]], request_type: str
) -> None:
    def fail() -> str:
        raise ConnectionError("no database")

    answer(example_event("migrate_database") | {"RequestType": request_type}, "stream", fail)
    status = "SUCCESS" if request_type == "Delete" else "FAILED"
    assert [(one["Status"], one["PhysicalResourceId"]) for one in answers] == [(status, PHYSICAL_ID)]


def test_cloudformation_is_answered_also_when_a_setting_is_missing(
    dead_letter_queue: DeadLetterQueue, answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    call("migrate_database", example_event("migrate_database"))
    with monkeypatch.context() as patched:
        patched.delenv("ELS_DATABASE_URL")
        bootstrap.container.cache_clear()
        call("migrate_database", example_event("migrate_database"))
    assert [one["Status"] for one in answers] == ["SUCCESS", "FAILED"]
    assert "ELS_DATABASE_URL is missing" in answers[1]["Reason"]
    assert dead_letter_queue.messages() == []
