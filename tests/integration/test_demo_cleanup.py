"""The demo takes its own out of stores that were there before, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from dev.demo.cleanup import clean
from dev.demo.environment import World

if TYPE_CHECKING:
    from dev.servers.valkey import ValkeyServer

NAME = "INSERT INTO batches (batch_id, status) VALUES ('mine', 'awaited'), ('theirs', 'awaited')"


def test_only_the_rows_and_keys_of_the_demo_are_taken_away(database_url: str, valkey: ValkeyServer) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(NAME))
    with valkey.client() as client:
        for batch_id in ("mine", "theirs"):
            client.hset(f"batch:{{{batch_id}}}:metadata", "version", 1)
    world = World("demo", "http://127.0.0.1:9", database_url, valkey.url, False, False, True, True)  # noqa: FBT003
    assert clean(world, ["mine"]) == []
    with engine.begin() as connection:
        assert connection.execute(text("SELECT batch_id FROM batches")).scalars().all() == ["theirs"]
    engine.dispose()
    with valkey.client() as client:
        assert client.keys() == ["batch:{theirs}:metadata"]


def test_a_server_that_is_gone_is_named_and_the_others_are_cleaned(valkey: ValkeyServer) -> None:
    with valkey.client() as client:
        client.hset("batch:{mine}:metadata", "version", 1)
        gone = "postgresql+pg8000://els@127.0.0.1:9/gone"
        world = World("demo", "http://127.0.0.1:9", gone, valkey.url, False, False, True, True)  # noqa: FBT003
        [said] = clean(world, ["mine"])
        assert said.startswith("rows in Postgres: ")
        assert client.keys() == []
