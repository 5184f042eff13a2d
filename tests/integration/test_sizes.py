"""The same rules hold for a batch of one slot and for one of two thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.domain.batches import digest_of
from tests.factories import content, failure, registration

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival
    from tests.integration.environment import Environment


@pytest.mark.fault(12)
@pytest.mark.parametrize("slots", [1, 2, 2_000])
def test_a_batch_of_any_size_is_ready_when_its_last_slot_is_used(
    environment: Environment, slots: int
) -> None:
    arrivals: list[Arrival] = [content(f"c{n}") for n in range(slots - slots // 2)]
    arrivals += [failure(f"f{n}") for n in range(slots // 2)]
    environment.register(registration(slots))
    for at in range(0, slots - 1, 500):
        environment.provision(*arrivals[at : min(at + 500, slots - 1)])
    assert environment.bus.count_by_type()["BatchEssaysReady"] == 0
    environment.provision(*arrivals[-1:])
    [final] = environment.bus.data("BatchEssaysReady")
    assert len(final["ready_essays"]) + len(final["validation_failures"]) == slots
    assert final["digest"] == digest_of(environment.snapshot().assigned)


@pytest.mark.fault(7)
@pytest.mark.fault(12)
def test_two_thousand_failures_close_a_batch(environment: Environment) -> None:
    environment.register(registration(2_000))
    for at in range(0, 2_000, 1_000):
        environment.provision(*(failure(f"f{n}") for n in range(at, at + 1_000)))
    [final] = environment.bus.data("BatchValidationErrors")
    assert (final["failed_count"], final["error_summary"]["total_errors"]) == (2_000, 2_000)
