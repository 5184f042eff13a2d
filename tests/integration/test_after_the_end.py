"""Nothing that comes after the final result re-opens a batch or ends it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els_core.application.register_batch import Rejected, Repeated
from els_core.domain.batches import Status
from els_core.domain.outcomes import Duplicate, Excess, Late, Reason
from tests.factories import content, failure, registration

if TYPE_CHECKING:
    from dev.servers.valkey import ValkeyServer
    from els_core.domain.arrivals import Arrival
    from tests.integration.environment import World

TERMINAL = {
    Status.READY: "BatchEssaysReady",
    Status.FAILED: "BatchValidationErrors",
    Status.TIMED_OUT: "BatchReadinessTimeout",
}


def end(world: World, status: Status) -> list[Arrival]:
    """Bring the batch of two slots to its end, and return what it took until then."""
    world.register.register([registration(2)])
    taken: list[Arrival] = [failure("f")]
    if status is not Status.TIMED_OUT:
        taken.append(content("a") if status is Status.READY else failure("g"))
    world.provision.provision(taken)
    if status is Status.TIMED_OUT:
        world.pass_the_deadline()
        world.expire.run(lambda: True)
    assert world.snapshot().batch.status is status
    return taken


@pytest.mark.fault(11)
@pytest.mark.parametrize("redis_forgot", [False, True])
@pytest.mark.parametrize("status", TERMINAL)
def test_what_comes_after_the_end_changes_nothing(
    world: World, valkey: ValkeyServer, status: Status, *, redis_forgot: bool
) -> None:
    taken = end(world, status)
    before = world.snapshot()
    reason = Reason.BATCH_TIMED_OUT if status is Status.TIMED_OUT else Reason.NO_AVAILABLE_SLOT
    late: list[Arrival] = [content("late"), failure("late")]
    for answers in ([Excess(reason), Late(reason)], [Duplicate(Excess(reason)), Duplicate(Late(reason))]):
        if redis_forgot:
            with valkey.client() as client:
                client.flushall()
        assert world.provision.provision(late).outcomes == answers
        assert all(isinstance(answer, Duplicate) for answer in world.provision.provision(taken).outcomes)
        assert world.register.register([registration(2), registration(3)]).answers == [Repeated(), Rejected()]
    after = world.snapshot()
    assert (after.batch.status, after.assigned, after.slot_failures, after.available) == (
        status,
        before.assigned,
        before.slot_failures,
        before.available,
    )
    world.expire.run(lambda: True)
    world.relay.run(lambda: True)
    kinds = world.bus.kinds()
    assert sum(kinds[kind] for kind in TERMINAL.values()) == kinds[TERMINAL[status]] == 1
    assert kinds["ExcessContentProvisioned"] == 1
    assert kinds["BatchRegistrationRejected"] == 1
