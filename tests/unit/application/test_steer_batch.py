"""The scenarios of commands, in memory: plain, each message twice, Redis forgets, Redis lies."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.factories import essay_ids
from tests.fakes.lying_coordinator import LyingCoordinator
from tests.steering_scenarios import SCENARIOS
from tests.steering_walkthrough import Walkthrough
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.domain.events import OutboxMessage


class InMemoryStage(InMemoryEnvironment):
    """The stage of a walkthrough in memory."""

    def messages(self) -> Sequence[OutboxMessage]:
        return self.bus.accepted

    def flush(self) -> None:
        self.redis.flush()

    def pass_the_deadline(self) -> None:
        self.clock.advance(timedelta(hours=1, seconds=1))

    def others(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        database = self.postgres.database
        for one in database.excess.committed.values():
            found["excess"].add(one.content.text_storage_id)
        for two in database.failures.committed.values():
            if two.essay_id is None:
                found["late"].add(two.failure.identity.partition(":")[2])
        for _, identity in database.parked.committed:
            found["parked"].add(identity.partition(":")[2])
        for (_, identity), row in database.superseded.committed.items():
            found["superseded" if row.arrival else "barred"].add(identity.partition(":")[2])
        return dict(sorted(found.items()))


MODES = ("plain", "twice", "forgets", "lies")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_the_design_says(name: str, mode: str) -> None:
    stage = InMemoryStage(LyingCoordinator(essay_ids(4)) if mode == "lies" else None)
    SCENARIOS[name](Walkthrough(stage, twice=mode == "twice", forgets=mode == "forgets"))
