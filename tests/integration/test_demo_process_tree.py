"""The servers of a demo are killed with its process tree."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from dev.demo.process_tree import ProcessTree
from dev.programs.tools import MARK
from dev.servers.postgres import PostgresServer
from dev.servers.valkey import ValkeyServer

if TYPE_CHECKING:
    from pathlib import Path


def test_every_server_is_killed_even_one_that_hides_its_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MARK, "")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    tree = ProcessTree.start()
    tree.make_folder()
    valkey, postgres = ValkeyServer().open(), PostgresServer().open()
    try:
        assert valkey.client().ping()
        tree.kill()
        with pytest.raises(RedisConnectionError):
            valkey.client().ping()
        assert tree.processes() == []
        assert not tree.folder.exists()
    finally:
        valkey.close()
        postgres.close()
