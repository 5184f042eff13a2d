"""The scenarios of commands on real stores: plain, each message twice, Redis forgets, Redis lies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.factories import essay_ids
from tests.fakes.lying_coordinator import LyingCoordinator
from tests.integration.environment import Environment
from tests.integration.reconciliation import assert_rows_are_consistent
from tests.steering_scenarios import SCENARIOS
from tests.steering_walkthrough import Walkthrough

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev.servers.valkey import ValkeyServer
    from els_core.domain.events import OutboxMessage

OTHERS = """
SELECT 'excess' AS what, text_storage_id AS name FROM excess_contents
UNION ALL SELECT 'late', split_part(identity, ':', 2) FROM validation_failures WHERE essay_id IS NULL
UNION ALL SELECT 'parked', split_part(identity, ':', 2) FROM parked_arrivals
UNION ALL SELECT CASE WHEN arrival IS NULL THEN 'barred' ELSE 'superseded' END, split_part(identity, ':', 2)
FROM superseded_arrivals
"""


class RealStage(Environment):
    """The stage of a walkthrough on real stores."""

    def messages(self) -> Sequence[OutboxMessage]:
        return self.bus.published

    def flush(self) -> None:
        self.redis.flushall()

    def others(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        with self.engine.connect() as connection:
            for what, name in connection.execute(text(OTHERS)):
                found[what].add(name)
        return dict(sorted(found.items()))


@pytest.mark.parametrize("mode", ["plain", "twice", "forgets", "lies"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_the_design_says(
    name: str, mode: str, database_url: str, valkey: ValkeyServer
) -> None:
    liar = LyingCoordinator(essay_ids(4)) if mode == "lies" else None
    stage = RealStage(database_url, valkey.url, coordinator=liar)
    SCENARIOS[name](Walkthrough(stage, twice=mode == "twice", forgets=mode == "forgets"))
    assert_rows_are_consistent(stage.engine)
    stage.close()
