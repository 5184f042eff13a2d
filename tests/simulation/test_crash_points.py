"""A process may die, or lose an answer, at every call that it makes: every promise holds.

The numbers of points visited may only grow; after adding some, raise those of `visited.json`.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.simulation.points import ENOUGH, Judge
from tests.simulation.scenarios import SCENARIOS, Scenario
from tests.simulation.stores import RealStores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyServer

    type Count = Callable[[str, Judge], None]

SMALL = [scenario for scenario in SCENARIOS if scenario.is_small]
VISITED: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("visited.json").read_text("utf-8"))


def named(scenario: Scenario) -> str:
    return scenario.name


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Return what adds the points to the summary and compares them with those of before."""

    def counted(room: str, judge: Judge) -> None:
        record_property("crash points", f"{room}/{judge.scenario.name}/{judge.visited}")
        assert judge.visited >= VISITED[room].get(judge.scenario.name, 1)

    return counted


@pytest.mark.parametrize("scenario", SCENARIOS, ids=named)
def test_every_point(scenario: Scenario, count: Count) -> None:
    judge = Judge(scenario)
    judge.visit_all()
    count("points on fakes", judge)


@pytest.mark.parametrize("scenario", SMALL, ids=named)
def test_every_pair_of_points(scenario: Scenario, count: Count) -> None:
    judge = Judge(scenario)
    judge.visit_pairs()
    count("pairs on fakes", judge)


@pytest.fixture(scope="module")
def real_stores(postgres: PostgresServer, valkey_alone: ValkeyServer) -> Iterator[RealStores]:
    url = postgres.create_database("crash_points", template="migrated")
    # The server does not crash here: its commits need not wait for the disk.
    postgres.execute("ALTER DATABASE crash_points SET synchronous_commit = off")
    with closing(RealStores(url, valkey_alone.url, timedelta(days=90))) as stores:
        yield stores
    postgres.drop_database("crash_points")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=named)
def test_every_point_on_real_stores(scenario: Scenario, real_stores: RealStores, count: Count) -> None:
    judge = Judge(scenario, real_stores)
    judge.visit_all(ENOUGH)
    count("points on real stores", judge)
