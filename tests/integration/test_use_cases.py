"""The promises on real Postgres and real Valkey."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from els_core.application.register_batch import Opened, Rejected, Repeated
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Proposal, ProposalKind, name_of
from tests.factories import content, failure, registration
from tests.integration.environment import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyCluster, ValkeyServer
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import AssignedSlot, BatchSnapshot


@pytest.mark.fault(7)
@pytest.mark.fault(4)
@pytest.mark.parametrize("good", [25, 24, 20, 0])
@pytest.mark.parametrize("order", ["good first", "failures first", "shuffled"])
def test_a_batch_closes_once_whatever_its_last_event_was(world: World, good: int, order: str) -> None:
    arrivals: list[Arrival] = [content(f"c{n}") for n in range(good)]
    failures: list[Arrival] = [failure(f"f{n}") for n in range(25 - good)]
    mixed = failures + arrivals if order == "failures first" else arrivals + failures
    if order == "shuffled":
        random.Random(7).shuffle(mixed)  # noqa: S311 - a repeatable order
    world.register.register([registration(25)])
    for at in range(0, 25, 10):
        world.provision.provision(mixed[at : at + 10])
    assert world.snapshot().batch.status is (Status.READY if good else Status.FAILED)
    assert world.bus.kinds()["BatchEssaysReady" if good else "BatchValidationErrors"] == 1
    assert (len(world.snapshot().assigned), len(world.snapshot().slot_failures)) == (good, 25 - good)


@pytest.mark.fault(1)
def test_excess_contents_are_reported_once_each(world: World) -> None:
    world.register.register([registration(15)])
    arrivals = [content(f"c{n}") for n in range(30)]
    assert world.outcomes(arrivals) == {"assigned": 15, "excess": 15}
    assert world.outcomes(arrivals) == {"duplicate": 30}
    assert world.bus.kinds()["ExcessContentProvisioned"] == 15


@pytest.mark.fault(1)
def test_twenty_copies_give_one_content_one_slot(database_url: str, valkey: ValkeyServer) -> None:
    copies = [World(database_url, valkey.url) for _ in range(20)]
    copies[0].register.register([registration(25)])
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda copy: copy.provision([content("same")]).outcomes[0], copies))
    held = copies[0].snapshot()
    for copy in copies:
        copy.close()
    assert Counter(type(answer).__name__ for answer in answers) == {"Assigned": 1, "Duplicate": 19}
    assert len(held.assigned) == 1


@pytest.mark.fault(5)
def test_what_comes_before_its_batch_is_parked_and_then_decided(world: World) -> None:
    assert world.outcomes([content("early"), failure("bad")]) == {"parked": 2}
    registered = world.register.register([registration(2)])
    assert sorted(name_of(outcome) for outcome in registered.drained.values()) == ["assigned", "failed"]
    assert world.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.fault(6)
def test_a_registration_is_repeated_or_rejected_and_the_first_stands(world: World) -> None:
    assert world.register.register([registration(2)]).answers == [Opened()]
    assert world.register.register([registration(2), registration(3)]).answers == [Repeated(), Rejected()]
    assert world.snapshot().batch.expected_count == 2
    assert world.bus.kinds()["BatchRegistrationRejected"] == 1


@pytest.mark.fault(8)
def test_an_arrival_after_the_deadline_is_late_although_no_sweep_has_run(
    world: World,
) -> None:
    world.register.register([registration(3)])
    world.provision.provision([content("in time")])
    world.pass_the_deadline()
    assert world.outcomes([content("late"), failure("late")]) == {"excess": 1, "late": 1}
    assert world.bus.kinds()["BatchReadinessTimeout"] == 1
    [final] = world.bus.data("BatchReadinessTimeout")
    assert (len(final["ready_essays"]), len(final["missing_essay_ids"])) == (1, 2)


@pytest.mark.fault(9)
def test_a_sweep_closes_what_nobody_touches_and_only_once(world: World) -> None:
    world.register.register([registration(3)])
    world.pass_the_deadline()
    assert len(world.expire.run(lambda: True).closed) == 1
    assert world.expire.run(lambda: True).closed == []
    assert world.bus.kinds()["BatchReadinessTimeout"] == 1


@pytest.mark.fault(3)
def test_nobody_notices_that_redis_forgot_everything(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(10)])
    world.provision.provision([content(f"c{n}") for n in range(4)])
    valkey.client().flushall()
    assert world.outcomes([content(f"c{n}") for n in range(10)]) == {"duplicate": 4, "assigned": 6}
    assert world.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.fault(18)
def test_redis_is_rebuilt_without_the_slots_that_are_used(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(10)])
    world.provision.provision([content("a"), failure("f")])
    valkey.client().flushall()
    world.provision.provision([content("b")])
    assert world.coordinator.get_assigned_count("b") == 2
    assert tuple(world.coordinator.get_missing_slots("b")) == world.snapshot().available


@pytest.mark.fault(17)
def test_a_lost_script_is_sent_again(world: World, valkey: ValkeyServer) -> None:
    world.register.register([registration(2)])
    valkey.client().script_flush()
    assert world.outcomes([content("a")]) == {"assigned": 1}
    assert world.coordinator.get_assigned_count("b") == 1


class Liar:
    """A coordinator that answers at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a repeatable liar

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        del now
        return [self._lie() for _ in arrivals]

    def _lie(self) -> Proposal:
        word = self._random.choice(list(ProposalKind))
        slot = f"essay-{self._random.randrange(12):04}"
        return Proposal(word, slot if word not in {ProposalKind.FULL, ProposalKind.UNKNOWN} else None)

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        """Forget at once."""

    def get_assigned_count(self, batch_id: str) -> int:
        del batch_id
        return self._random.randrange(12)

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        del batch_id
        return []

    def get_missing_slots(self, batch_id: str) -> list[str]:
        del batch_id
        return []


@pytest.mark.fault(23)
@pytest.mark.parametrize("seed", range(5))
def test_a_lying_coordinator_breaks_no_promise(database_url: str, valkey: ValkeyServer, seed: int) -> None:
    world = World(database_url, valkey.url, coordinator=Liar(seed))
    world.register.register([registration(10)])
    arrivals: list[Arrival] = [*(content(f"c{n}") for n in range(9)), failure("f")]
    for arrival in [*arrivals, *reversed(arrivals)]:
        world.provision.provision([arrival])
    held = world.snapshot()
    world.close()
    assert (len(held.assigned), len(held.slot_failures), held.available) == (9, 1, ())
    assert world.bus.kinds()["BatchEssaysReady"] == 1


@pytest.mark.fault(2)
def test_a_final_result_that_the_bus_did_not_take_is_sent_later_with_the_same_id(world: World) -> None:
    world.register.register([registration(1)])
    world.bus.is_down = True
    world.provision.provision([content("a")])
    assert world.bus.kinds() == {}
    world.bus.is_down = False
    assert world.relay.run(lambda: True).sent == 2
    assert world.relay.run(lambda: True).sent == 0
    assert world.bus.kinds() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.fault(21)
def test_a_cut_connection_is_replaced_without_failing(world: World, postgres: PostgresServer) -> None:
    world.register.register([registration(2)])
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
    assert postgres.execute(sql) == [[True]]
    world.redis.client_kill_filter(skipme=False)
    assert world.outcomes([content("a")]) == {"assigned": 1}


@pytest.mark.fault(21)
def test_without_redis_nothing_is_decided(database_url: str) -> None:
    with_server_down = World(database_url, "redis://127.0.0.1:1")
    with pytest.raises(ExternalServiceError, match="Redis"):
        with_server_down.provision.provision([content("a")])
    assert with_server_down.repository.find("b") is None
    with_server_down.close()


@pytest.mark.fault(17)
def test_a_cluster_serves_many_batches_at_once(database_url: str, valkey_cluster: ValkeyCluster) -> None:
    world = World(database_url, valkey_cluster.url, cluster=True)
    world.register.register([registration(2, f"b{n}") for n in range(20)])
    answers = world.outcomes([content(f"c{m}", f"b{n}") for n in range(20) for m in range(2)])
    world.close()
    assert answers == {"assigned": 40}
    assert world.bus.kinds()["BatchEssaysReady"] == 20


def test_the_sentence_says_what_the_batch_waits_for(world: World) -> None:
    world.register.register([registration(25)])
    world.provision.provision([*(content(f"c{n}") for n in range(20)), failure("f1"), failure("f2")])
    described = world.status.read("b")
    assert described is not None
    assert described.sentence.startswith("waiting for 3 of 25: essay-")
    assert described.sentence.endswith("; 2 files failed; 59 minutes left")
    assert world.status.read("unknown") is None
