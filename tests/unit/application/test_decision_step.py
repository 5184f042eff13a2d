"""The shared step decides in bulk or one by one, and says what Redis and the bus need to know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from els_core.application.decision_step import Decision, DecisionInput, DecisionStep, StoreRejection
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.arrivals import key_of
from els_core.domain.batches import Status
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.outcomes import Assigned, Proposal, ProposalKind
from tests.factories import batch, content, failure, registration, snapshot
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.ports.repository import Transaction
    from els_core.domain.arrivals import Arrival, ArrivalKey

A, F = content("a"), failure("f")
POISON = replace(content("poison"), original_file_name="nul\x00")


@pytest.fixture
def environment() -> InMemoryEnvironment:
    """Return an environment with an open batch of two slots."""
    environment = InMemoryEnvironment()
    environment.register(registration(2))
    return environment


def in_transaction(
    environment: InMemoryEnvironment, work: Callable[[DecisionStep, Transaction], Decision]
) -> Decision:
    return environment.postgres.transact(
        lambda transaction: work(DecisionStep(transaction, JsonEventEncoder()), transaction)
    )


def refreshed(decision: Decision) -> list[str]:
    """Return the batches that Redis is refreshed with."""
    return [update.snapshot.batch.batch_id for update in decision.updates]


def decide_together(
    environment: InMemoryEnvironment,
    *arrivals: Arrival,
    proposals: dict[ArrivalKey, Proposal] | None = None,
) -> Decision:
    return in_transaction(
        environment,
        lambda step, transaction: step.decide_together(
            DecisionInput(transaction.lock(["b"]), arrivals, proposals)
        ),
    )


def test_without_proposals_every_batch_is_refreshed_in_redis(environment: InMemoryEnvironment) -> None:
    assert refreshed(decide_together(environment, A)) == ["b"]


def test_a_batch_whose_proposals_were_right_is_not_refreshed(environment: InMemoryEnvironment) -> None:
    proposals = {key_of(A): Proposal(ProposalKind.ASSIGNED, "essay-0000")}
    decision = decide_together(environment, A, proposals=proposals)
    assert decision.outcomes == {key_of(A): Assigned("essay-0000")}
    assert refreshed(decision) == []


def test_a_batch_with_one_wrong_proposal_is_refreshed(environment: InMemoryEnvironment) -> None:
    proposals = {
        key_of(A): Proposal(ProposalKind.ASSIGNED, "essay-0000"),
        key_of(F): Proposal(ProposalKind.FULL),
    }
    assert refreshed(decide_together(environment, A, F, proposals=proposals)) == ["b"]


def test_a_closed_batch_has_its_snapshot_and_its_final_result(environment: InMemoryEnvironment) -> None:
    decision = decide_together(environment, A, F)
    assert [closed.batch for closed in decision.closed] == [decision.updates[0].snapshot.batch]
    assert [message.detail_type for message in decision.messages] == [
        "EssaySlotsAssigned",
        "BatchEssaysReady",
    ]
    assert environment.outbox() == ["EssaySlotsAssigned", "BatchEssaysReady"]


def test_only_duplicates_write_nothing_and_announce_nothing(environment: InMemoryEnvironment) -> None:
    decide_together(environment, A)
    before, outbox = environment.snapshot(), environment.outbox()
    decision = decide_together(environment, A, proposals={key_of(A): Proposal(ProposalKind.UNKNOWN)})
    assert decision.messages == []
    assert (environment.snapshot(), environment.outbox()) == (before, outbox)


@pytest.mark.fault(15)
def test_in_bulk_one_rejected_arrival_rejects_the_call(environment: InMemoryEnvironment) -> None:
    with pytest.raises(RejectedByStoreError):
        decide_together(environment, A, POISON, F)
    assert environment.snapshot().assigned == ()


@pytest.mark.fault(15)
def test_one_by_one_a_rejected_arrival_is_rejected_alone(environment: InMemoryEnvironment) -> None:
    decision = in_transaction(
        environment,
        lambda step, transaction: step.decide_in_halves(
            DecisionInput(transaction.lock(["b"]), [A, POISON, F], None)
        ),
    )
    kinds = {identity: type(outcome).__name__ for (_, identity), outcome in decision.outcomes.items()}
    assert kinds == {"content:a": "Assigned", "content:poison": "StoreRejection", "upload:f": "Failed"}
    assert len(decision.closed) == 1
    assert environment.snapshot().available == ()


def test_the_input_is_not_changed(environment: InMemoryEnvironment) -> None:
    def work(step: DecisionStep, transaction: Transaction) -> Decision:
        given = DecisionInput(transaction.lock(["b"]), [A, POISON, F], {})
        copy = replace(given, batches=dict(given.batches), arrivals=list(given.arrivals), proposals={})
        decision = step.decide_in_halves(replace(given, proposals=None))
        assert given == copy
        return decision

    assert in_transaction(environment, work).batches["b"].version > 1


def test_in_a_merged_decision_later_rows_and_snapshots_replace_earlier_ones() -> None:
    first, second = batch(), replace(batch(), version=2)
    earlier, later = CoordinatorUpdate(snapshot(2)), CoordinatorUpdate(snapshot(2, ["a"]))
    merged = Decision.merged(
        [
            Decision({key_of(A): Assigned("s1")}, {"b": first}, (), [earlier]),
            Decision({key_of(F): StoreRejection("no")}, {"b": second}, (), [later]),
        ]
    )
    assert merged.outcomes == {key_of(A): Assigned("s1"), key_of(F): StoreRejection("no")}
    assert (merged.batches, merged.updates) == ({"b": second}, [earlier, later])


def test_a_version_greater_than_that_of_postgres_is_replaced_exactly(
    environment: InMemoryEnvironment,
) -> None:
    proposals = {key_of(A): Proposal(ProposalKind.ASSIGNED, "essay-0000", 10**6)}
    [update] = decide_together(environment, A, proposals=proposals).updates
    assert update.replaces == 10**6


def test_a_version_that_may_be_true_is_not_replaced(environment: InMemoryEnvironment) -> None:
    proposals = {key_of(A): Proposal(ProposalKind.FULL, None, environment.snapshot().batch.version)}
    [update] = decide_together(environment, A, proposals=proposals).updates
    assert update.replaces is None


def closing_two(environment: InMemoryEnvironment, max_slots: int) -> Decision:
    """Decide the arrivals that fill two batches of two slots each."""
    environment.register(registration(2, "c"))
    arrivals = [content(name, batch_id) for batch_id in ("b", "c") for name in ("x", "y")]
    return environment.postgres.transact(
        lambda transaction: DecisionStep(transaction, JsonEventEncoder(), max_slots).decide_together(
            DecisionInput(transaction.lock(["b", "c"]), arrivals, None)
        )
    )


def test_batches_whose_closing_does_not_fit_are_deferred_unchanged(environment: InMemoryEnvironment) -> None:
    decision = closing_two(environment, max_slots=3)
    assert [closed.batch.batch_id for closed in decision.closed] == ["b"]
    assert decision.deferred == {"c"}
    assert environment.snapshot("c").batch.status is Status.OPEN
    assert set(decision.outcomes) == {("b", "content:x"), ("b", "content:y")}


def test_batches_whose_closing_fits_are_closed_together(environment: InMemoryEnvironment) -> None:
    decision = closing_two(environment, max_slots=4)
    assert len(decision.closed) == 2
    assert decision.deferred == set()


def test_refreshing_redis_is_put_off_when_it_does_not_fit(environment: InMemoryEnvironment) -> None:
    environment.register(registration(2, "c"), registration(2, "d"))
    arrivals = [content("x", batch_id) for batch_id in ("b", "c", "d")]
    decision = environment.postgres.transact(
        lambda transaction: DecisionStep(transaction, JsonEventEncoder(), 3).decide_together(
            DecisionInput(transaction.lock(["b", "c", "d"]), arrivals, None)
        )
    )
    assert (refreshed(decision), decision.refresh_later) == (["b"], ["c", "d"])
    assert len(decision.outcomes) == 3
