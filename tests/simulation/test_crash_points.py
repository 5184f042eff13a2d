"""Every invariant holds when a process is killed, or loses an answer, at any call that it makes.

The numbers in `visited.json` may only grow. When there are more failpoints, raise them.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.simulation.crash_points import REPRESENTATIVE, CrashPointCheck
from tests.simulation.scenarios import SCENARIOS, Scenario
from tests.simulation.stores import RealStores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

    type Compare = Callable[[str, CrashPointCheck], None]

SMALL = [scenario for scenario in SCENARIOS if scenario.is_small]
VISITED: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("visited.json").read_text("utf-8"))


def named(scenario: Scenario) -> str:
    return scenario.name


@pytest.fixture
def require_visited(record_property: Callable[[str, object], None]) -> Compare:
    """Return a function that compares the visited points with the committed number and reports them."""

    def compare(section: str, check: CrashPointCheck) -> None:
        record_property("crash points", f"{section}/{check.scenario.name}/{check.visited}")
        assert check.visited >= VISITED[section][check.scenario.name]

    return compare


@pytest.mark.parametrize("scenario", SCENARIOS, ids=named)
def test_every_point(scenario: Scenario, require_visited: Compare) -> None:
    check = CrashPointCheck(scenario)
    check.visit_points()
    require_visited("points on fakes", check)


@pytest.mark.parametrize("scenario", SMALL, ids=named)
def test_every_pair_of_points(scenario: Scenario, require_visited: Compare) -> None:
    check = CrashPointCheck(scenario)
    check.visit_pairs()
    require_visited("pairs on fakes", check)


@pytest.fixture(scope="module")
def real_stores(postgres: PostgresServer, valkey_alone: ValkeyServer) -> Iterator[RealStores]:
    url = postgres.create_database("crash_points", template="migrated")
    # The server does not crash here: its commits need not wait for the disk.
    postgres.execute("ALTER DATABASE crash_points SET synchronous_commit = off")
    with closing(RealStores(url, valkey_alone.url, timedelta(days=90))) as stores:
        yield stores
    postgres.drop_database("crash_points")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=named)
def test_every_point_on_real_stores(
    scenario: Scenario, real_stores: RealStores, require_visited: Compare
) -> None:
    check = CrashPointCheck(scenario, real_stores)
    check.visit_points(REPRESENTATIVE)
    require_visited("points on real stores", check)
