"""The user of the cache in infra/stores.yaml may do all that the coordinator does, and nothing else."""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import NoPermissionError

from dev.servers.valkey import ValkeyCluster, ValkeyServer
from els_core.adapters.redis.connection import connect
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.domain.outcomes import ProposalKind
from tests.architecture.project import resources
from tests.contract.snapshots import snapshot
from tests.factories import content, failure

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = str(resources(Path("infra/stores.yaml"))["CacheUser"]["Properties"]["AccessString"]).split()
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER = "els-1a2b3c4d"


@contextmanager
def as_user(*nodes: ValkeyServer) -> Iterator[str]:
    """Let the user exist on all nodes, and yield the URL that it comes with."""
    for node in nodes:
        with node.client() as client:
            client.execute_command("ACL", "SETUSER", USER, "reset", *RULES, ">secret")
    yield f"redis://{USER}:secret@127.0.0.1:{nodes[0].port}"
    for node in nodes:
        with node.client() as client:
            client.execute_command("ACL", "DELUSER", USER)


@pytest.fixture(params=["alone", "cluster"])
def user(request: pytest.FixtureRequest) -> Iterator[Any]:
    is_cluster = request.param == "cluster"
    server: Any = request.getfixturevalue("valkey_cluster" if is_cluster else "valkey")
    nodes = server.nodes if isinstance(server, ValkeyCluster) else [server]
    with as_user(*nodes) as url, closing(connect(url, cluster=is_cluster)) as client:
        yield client


def test_the_coordinator_works_under_the_rules_of_the_user(user: Any) -> None:
    coordinator = RedisCoordinator(user, timedelta(days=90))
    coordinator.install([CoordinatorUpdate(snapshot(2, NOW + timedelta(days=20_000)))], NOW)
    proposals = coordinator.propose([content("a"), failure("f"), content("c")], NOW)
    assert [each.kind for each in proposals] == [
        ProposalKind.ASSIGNED,
        ProposalKind.FAILED,
        ProposalKind.FULL,
    ]
    [view] = coordinator.inspect(["b"])
    assert view is not None
    assert coordinator.get_assigned_count("b") == len(coordinator.get_assigned_essays("b")) == 1
    assert coordinator.get_missing_slots("b") == []
    assert user.ping()


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "other"),
        ("SET", "other", "1"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("KEYS", "*"),
        ("ACL", "LIST"),
    ],
    ids=" ".join,
)
def test_the_user_reaches_no_other_key_and_no_dangerous_command(
    valkey: ValkeyServer, command: tuple[str, ...]
) -> None:
    with as_user(valkey) as url, closing(connect(url)) as connected:
        client: Any = connected
        with pytest.raises(NoPermissionError):
            client.execute_command(*command)
