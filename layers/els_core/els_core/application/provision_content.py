"""Give each content exactly one slot and count each failure, in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.application.budgets import MAX_SLOTS, always
from els_core.application.decision_step import Decision, DecisionInput, DecisionStep, StoreRejection
from els_core.application.message_consumer import Retry
from els_core.domain.arrivals import key_of
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.outcomes import as_duplicate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.budgets import MayContinue
    from els_core.application.decision_step import ClosedBatch
    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.outcomes import Outcome, Proposal

type ArrivalAnswer = Outcome | StoreRejection | Retry


@dataclass(frozen=True, slots=True)
class ProvisioningResult:
    """One answer per arrival, in their order, the batches that were closed, and what was published.

    `races_lost` and `rebuilt` are those of `Decision`.
    """

    outcomes: Sequence[ArrivalAnswer]
    closed: Sequence[ClosedBatch]
    published: Sequence[PublishResult]
    races_lost: int = 0
    rebuilt: int = 0


@dataclass(frozen=True, slots=True)
class ProvisionContent:
    """Redis proposes, Postgres disposes; then Redis is refreshed and the events are published."""

    post_commit: PostCommit
    encoder: EventEncoder
    max_slots: int = MAX_SLOTS

    def provision(
        self, arrivals: Sequence[Arrival], may_continue: MayContinue = always
    ) -> ProvisioningResult:
        """Decide all arrivals, in one transaction unless they close more than a transaction may read.

        Raises a fault, with nothing decided, if a store is down.
        """
        distinct = _deduplicate(arrivals)
        if not distinct:
            return ProvisioningResult([], [], [])
        hints = self.post_commit.coordinator.propose(list(distinct.values()), self.post_commit.clock.now())
        proposals = dict(zip(distinct, hints, strict=True))
        answers: dict[ArrivalKey, Outcome | StoreRejection] = {}
        closed: list[ClosedBatch] = []
        published: list[PublishResult] = []
        races_lost = rebuilt = 0
        pending: Mapping[ArrivalKey, Arrival] = distinct
        while pending and (not published or may_continue()):
            decision = self._decide(pending, proposals)
            answers.update(decision.outcomes)
            closed.extend(decision.closed)
            races_lost += decision.races_lost
            rebuilt += decision.rebuilt
            published.append(self.post_commit.run(decision, may_continue))
            # Of a deferred batch, an earlier half of the same transaction may have decided some arrivals.
            pending = {
                key: one
                for key, one in pending.items()
                if one.batch_id in decision.deferred and key not in decision.outcomes
            }
        return ProvisioningResult(_answer_each(arrivals, answers), closed, published, races_lost, rebuilt)

    def _decide(
        self, arrivals: Mapping[ArrivalKey, Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> Decision:
        """Decide in bulk; if Postgres rejects the data of one arrival, in halves until that one is alone."""
        batch_ids = sorted({batch_id for batch_id, _ in arrivals})

        asked = list(arrivals.values())

        def step(transaction: Transaction) -> DecisionStep:
            return DecisionStep(transaction, self.encoder, self.max_slots)

        def decide_together(transaction: Transaction) -> Decision:
            batches, view = transaction.lock_and_view(batch_ids, asked, proposals)
            return step(transaction).decide_together(DecisionInput(batches, asked, proposals, view=view))

        def decide_in_halves(transaction: Transaction) -> Decision:
            given = DecisionInput(transaction.lock(batch_ids), asked, proposals)
            return step(transaction).decide_in_halves(given)

        try:
            return self.post_commit.repository.transact(decide_together)
        except RejectedByStoreError:
            return self.post_commit.repository.transact(decide_in_halves)


def _deduplicate(arrivals: Sequence[Arrival]) -> dict[ArrivalKey, Arrival]:
    """Return the first arrival of each key, in order."""
    distinct: dict[ArrivalKey, Arrival] = {}
    for arrival in arrivals:
        distinct.setdefault(key_of(arrival), arrival)
    return distinct


def _answer_each(
    arrivals: Sequence[Arrival], decided: Mapping[ArrivalKey, Outcome | StoreRejection]
) -> list[ArrivalAnswer]:
    """Answer each arrival; the second one of a key is a duplicate of the first."""
    answered: set[ArrivalKey] = set()
    answers: list[ArrivalAnswer] = []
    for arrival in arrivals:
        key = key_of(arrival)
        answer = decided.get(key, Retry())
        answers.append(_repeated(answer) if key in answered else answer)
        answered.add(key)
    return answers


def _repeated(answer: ArrivalAnswer) -> ArrivalAnswer:
    match answer:
        case StoreRejection() | Retry():
            return answer
        case _:
            return as_duplicate(answer)
