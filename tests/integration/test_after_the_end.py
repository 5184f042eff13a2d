"""Nothing that arrives after the final result reopens a batch or closes it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.application.announce_batch import AnnounceBatch, Announced
from els_core.application.register_batch import REJECTION, Rejected, Repeated
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.batches import Status
from els_core.domain.outcomes import Duplicate, Excess, Late, Reason
from tests.factories import content, failure, registration

if TYPE_CHECKING:
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival
    from tests.integration.environment import Environment

FINAL_RESULTS = {
    Status.READY: "BatchEssaysReady",
    Status.FAILED: "BatchValidationErrors",
    Status.TIMED_OUT: "BatchReadinessTimeout",
}


def close_batch(environment: Environment, status: Status) -> list[Arrival]:
    """Close a batch of two slots with this status and return its arrivals."""
    environment.register(registration(2))
    arrivals: list[Arrival] = [failure("f")]
    if status is not Status.TIMED_OUT:
        arrivals.append(content("a") if status is Status.READY else failure("g"))
    environment.provision(*arrivals)
    if status is Status.TIMED_OUT:
        environment.pass_the_deadline()
        environment.expire()
    assert environment.snapshot().batch.status is status
    return arrivals


@pytest.mark.fault(11)
@pytest.mark.parametrize("redis_is_flushed", [False, True])
@pytest.mark.parametrize("status", FINAL_RESULTS)
def test_arrivals_and_registrations_after_the_final_result_change_nothing(
    environment: Environment, valkey: ValkeyServer, status: Status, *, redis_is_flushed: bool
) -> None:
    before_the_end = close_batch(environment, status)
    before = environment.snapshot()
    reason = Reason.BATCH_TIMED_OUT if status is Status.TIMED_OUT else Reason.NO_AVAILABLE_SLOT
    after_the_end: list[Arrival] = [content("late"), failure("late")]
    for expected in ([Excess(reason), Late(reason)], [Duplicate(Excess(reason)), Duplicate(Late(reason))]):
        if redis_is_flushed:
            with valkey.client() as client:
                client.flushall()
        assert environment.provision(*after_the_end).outcomes == expected
        repeated = environment.provision(*before_the_end).outcomes
        assert all(isinstance(outcome, Duplicate) for outcome in repeated)
        assert environment.register(registration(2), registration(3)).answers == [
            Repeated(),
            Rejected(REJECTION),
        ]
    after = environment.snapshot()
    assert (after.batch.status, after.assigned, after.slot_failures, after.available) == (
        status,
        before.assigned,
        before.slot_failures,
        before.available,
    )
    environment.expire()
    environment.relay()
    counts = environment.bus.event_counts()
    assert sum(counts[name] for name in FINAL_RESULTS.values()) == counts[FINAL_RESULTS[status]] == 1
    assert counts["ExcessContentProvisioned"] == 1
    assert counts["BatchRegistrationRejected"] == 1


@pytest.mark.fault(24)
def test_a_result_that_an_older_version_did_not_keep_is_announced_again_from_the_rows(
    environment: Environment,
) -> None:
    environment.register(registration(1))
    environment.provision(content("a"))
    [first] = [message for message in environment.bus.published if message.is_final]
    environment.execute("DELETE FROM batch_epochs")
    announced = AnnounceBatch(environment.steer_batch.post_commit, JsonEventEncoder()).announce("b")
    assert isinstance(announced, Announced)
    assert announced.published.sent == 1
    assert environment.bus.published[-1].event_id == announced.message.event_id == first.event_id
    assert environment.relay().sent == 0
