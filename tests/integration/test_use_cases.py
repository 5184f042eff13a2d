"""The invariants of the use cases on real Postgres and Valkey."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from els_core.application.register_batch import REJECTION, Opened, Rejected, Repeated
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Proposal, ProposalKind, name_of
from tests.factories import content, failure, registration
from tests.integration.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dev.servers.postgres import PostgresServer
    from dev.servers.valkey import ValkeyCluster, ValkeyServer
    from els_core.application.ports.coordinator import CoordinatorUpdate
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import AssignedSlot


@pytest.mark.fault(7)
@pytest.mark.fault(4)
@pytest.mark.parametrize("good", [25, 24, 20, 0])
@pytest.mark.parametrize("order", ["good first", "failures first", "shuffled"])
def test_a_batch_closes_once_whatever_its_last_event_was(
    environment: Environment, good: int, order: str
) -> None:
    arrivals: list[Arrival] = [content(f"c{n}") for n in range(good)]
    failures: list[Arrival] = [failure(f"f{n}") for n in range(25 - good)]
    mixed = failures + arrivals if order == "failures first" else arrivals + failures
    if order == "shuffled":
        random.Random(7).shuffle(mixed)  # noqa: S311 - a repeatable order
    environment.register(registration(25))
    for at in range(0, 25, 10):
        environment.provision(*mixed[at : at + 10])
    assert environment.snapshot().batch.status is (Status.READY if good else Status.FAILED)
    assert environment.bus.event_counts()["BatchEssaysReady" if good else "BatchValidationErrors"] == 1
    assert (len(environment.snapshot().assigned), len(environment.snapshot().slot_failures)) == (
        good,
        25 - good,
    )


@pytest.mark.fault(1)
def test_excess_contents_are_announced_once_each(environment: Environment) -> None:
    environment.register(registration(15))
    arrivals = [content(f"c{n}") for n in range(30)]
    assert environment.outcomes(*arrivals) == {"assigned": 15, "excess": 15}
    assert environment.outcomes(*arrivals) == {"duplicate": 30}
    assert environment.bus.event_counts()["ExcessContentProvisioned"] == 15


@pytest.mark.fault(1)
def test_twenty_environments_give_one_content_one_slot(database_url: str, valkey: ValkeyServer) -> None:
    environments = [Environment(database_url, valkey.url) for _ in range(20)]
    environments[0].register(registration(25))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda one: one.provision(content("same")).outcomes[0], environments))
    held = environments[0].snapshot()
    for one in environments:
        one.close()
    assert Counter(type(answer).__name__ for answer in answers) == {"Assigned": 1, "Duplicate": 19}
    assert len(held.assigned) == 1


@pytest.mark.fault(5)
def test_arrivals_before_their_registration_are_parked_and_then_decided(environment: Environment) -> None:
    assert environment.outcomes(content("early"), failure("bad")) == {"parked": 2}
    registered = environment.register(registration(2))
    assert sorted(name_of(outcome) for outcome in registered.drained.values()) == ["assigned", "failed"]
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.fault(6)
def test_a_second_registration_is_repeated_or_rejected_and_the_first_stands(environment: Environment) -> None:
    assert environment.register(registration(2)).answers == [Opened()]
    assert environment.register(registration(2), registration(3)).answers == [Repeated(), Rejected(REJECTION)]
    assert environment.snapshot().batch.expected_count == 2
    assert environment.bus.event_counts()["BatchRegistrationRejected"] == 1


@pytest.mark.fault(8)
def test_an_arrival_after_the_deadline_closes_the_batch_without_a_sweep(
    environment: Environment,
) -> None:
    environment.register(registration(3))
    environment.provision(content("in time"))
    environment.pass_the_deadline()
    assert environment.outcomes(content("late"), failure("late")) == {"excess": 1, "late": 1}
    assert environment.bus.event_counts()["BatchReadinessTimeout"] == 1
    [final] = environment.bus.data("BatchReadinessTimeout")
    assert (len(final["ready_essays"]), len(final["missing_essay_ids"])) == (1, 2)


@pytest.mark.fault(9)
def test_a_sweep_closes_an_overdue_batch_once(environment: Environment) -> None:
    environment.register(registration(3))
    environment.pass_the_deadline()
    assert len(environment.expire().closed) == 1
    assert environment.expire().closed == []
    assert environment.bus.event_counts()["BatchReadinessTimeout"] == 1


@pytest.mark.fault(3)
def test_a_flushed_redis_changes_no_outcome(environment: Environment, valkey: ValkeyServer) -> None:
    environment.register(registration(10))
    environment.provision(*(content(f"c{n}") for n in range(4)))
    valkey.client().flushall()
    assert environment.outcomes(*(content(f"c{n}") for n in range(10))) == {"duplicate": 4, "assigned": 6}
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.fault(18)
def test_a_flushed_redis_is_rebuilt_without_the_used_slots(
    environment: Environment, valkey: ValkeyServer
) -> None:
    environment.register(registration(10))
    environment.provision(content("a"), failure("f"))
    valkey.client().flushall()
    environment.provision(content("b"))
    assert environment.coordinator.get_assigned_count("b") == 2
    assert tuple(environment.coordinator.get_missing_slots("b")) == environment.snapshot().available


@pytest.mark.fault(17)
def test_a_flushed_script_is_loaded_again(environment: Environment, valkey: ValkeyServer) -> None:
    environment.register(registration(2))
    valkey.client().script_flush()
    assert environment.outcomes(content("a")) == {"assigned": 1}
    assert environment.coordinator.get_assigned_count("b") == 1


class RandomCoordinator:
    """The port `Coordinator` with random answers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable by its seed

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        del now
        return [self._random_proposal() for _ in arrivals]

    def _random_proposal(self) -> Proposal:
        word = self._random.choice(list(ProposalKind))
        slot = f"essay-{self._random.randrange(12):04}"
        return Proposal(word, slot if word not in {ProposalKind.FULL, ProposalKind.UNKNOWN} else None)

    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        """Store nothing."""

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
def test_a_coordinator_that_answers_at_random_breaks_no_invariant(
    database_url: str, valkey: ValkeyServer, seed: int
) -> None:
    environment = Environment(database_url, valkey.url, coordinator=RandomCoordinator(seed))
    environment.register(registration(10))
    arrivals: list[Arrival] = [*(content(f"c{n}") for n in range(9)), failure("f")]
    for arrival in [*arrivals, *reversed(arrivals)]:
        environment.provision(arrival)
    held = environment.snapshot()
    environment.close()
    assert (len(held.assigned), len(held.slot_failures), held.available) == (9, 1, ())
    assert environment.bus.event_counts()["BatchEssaysReady"] == 1


@pytest.mark.fault(2)
def test_a_final_result_that_the_bus_did_not_accept_is_published_later_with_the_same_id(
    environment: Environment,
) -> None:
    environment.register(registration(1))
    environment.bus.is_down = True
    environment.provision(content("a"))
    assert environment.bus.event_counts() == {}
    environment.bus.is_down = False
    assert environment.relay().sent == 2
    assert environment.relay().sent == 0
    assert environment.bus.event_counts() == {"EssaySlotsAssigned": 1, "BatchEssaysReady": 1}


@pytest.mark.fault(21)
def test_a_lost_connection_is_replaced_and_fails_no_invocation(
    environment: Environment, postgres: PostgresServer
) -> None:
    environment.register(registration(2))
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
    assert postgres.execute(sql) == [[True]]
    environment.redis.client_kill_filter(skipme=False)
    assert environment.outcomes(content("a")) == {"assigned": 1}


@pytest.mark.fault(21)
def test_without_redis_nothing_is_decided(database_url: str) -> None:
    without_redis = Environment(database_url, "redis://127.0.0.1:1")
    with pytest.raises(ExternalServiceError, match="Redis"):
        without_redis.provision(content("a"))
    assert without_redis.repository.snapshots(["b"]) == []
    without_redis.close()


@pytest.mark.fault(17)
def test_a_cluster_serves_many_batches_at_once(database_url: str, valkey_cluster: ValkeyCluster) -> None:
    environment = Environment(database_url, valkey_cluster.url, cluster=True)
    environment.register(*(registration(2, f"b{n}") for n in range(20)))
    answers = environment.outcomes(*(content(f"c{m}", f"b{n}") for n in range(20) for m in range(2)))
    environment.close()
    assert answers == {"assigned": 40}
    assert environment.bus.event_counts()["BatchEssaysReady"] == 20


def test_the_status_says_what_the_batch_waits_for(environment: Environment) -> None:
    environment.register(registration(25))
    environment.provision(*(content(f"c{n}") for n in range(20)), failure("f1"), failure("f2"))
    described = environment.status("b")
    assert described is not None
    assert described.move.sentence.startswith("upstream must send 3 of 25 until ")
    assert described.move.sentence.endswith("; 2 files failed")
    assert environment.status("unknown") is None
