"""Give each content exactly one slot and count each failure, in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.application.decision_step import Decision, DecisionInput, DecisionStep, StoreRejection
from els_core.application.post_commit import PublishResult
from els_core.domain.arrivals import key_of
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.outcomes import as_duplicate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.application.post_commit import PostCommit
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.events import BatchClosed
    from els_core.domain.outcomes import Outcome, Proposal


@dataclass(frozen=True, slots=True)
class ProvisioningResult:
    """One outcome per arrival, in their order, the batches that were closed, and what was published."""

    outcomes: Sequence[Outcome | StoreRejection]
    closed: Sequence[BatchClosed]
    published: PublishResult


@dataclass(frozen=True, slots=True)
class ProvisionContent:
    """Redis proposes, Postgres disposes; then Redis is refreshed and the events are published."""

    post_commit: PostCommit
    encoder: EventEncoder

    def provision(self, arrivals: Sequence[Arrival]) -> ProvisioningResult:
        """Decide all arrivals in one transaction; raise a fault, with nothing decided, if a store is down."""
        distinct = _deduplicate(arrivals)
        if not distinct:
            return ProvisioningResult([], [], PublishResult())
        hints = self.post_commit.coordinator.propose(list(distinct.values()), self.post_commit.clock.now())
        decision = self._decide(distinct, dict(zip(distinct, hints, strict=True)))
        published = self.post_commit.run(decision.snapshots.values(), decision.messages)
        return ProvisioningResult(_answer_each(arrivals, decision), decision.closed, published)

    def _decide(
        self, arrivals: Mapping[ArrivalKey, Arrival], proposals: Mapping[ArrivalKey, Proposal]
    ) -> Decision:
        """Decide in bulk; if Postgres rejects the data of one arrival, decide one by one."""
        batch_ids = sorted({batch_id for batch_id, _ in arrivals})

        def locked(transaction: Transaction) -> DecisionInput:
            return DecisionInput(transaction.lock(batch_ids), list(arrivals.values()), proposals)

        def decide_together(transaction: Transaction) -> Decision:
            return DecisionStep(transaction, self.encoder).decide_together(locked(transaction))

        def decide_one_by_one(transaction: Transaction) -> Decision:
            return DecisionStep(transaction, self.encoder).decide_one_by_one(locked(transaction))

        try:
            return self.post_commit.repository.transact(decide_together)
        except RejectedByStoreError:
            return self.post_commit.repository.transact(decide_one_by_one)


def _deduplicate(arrivals: Sequence[Arrival]) -> dict[ArrivalKey, Arrival]:
    """Return the first arrival of each key, in order."""
    distinct: dict[ArrivalKey, Arrival] = {}
    for arrival in arrivals:
        distinct.setdefault(key_of(arrival), arrival)
    return distinct


def _answer_each(arrivals: Sequence[Arrival], decision: Decision) -> list[Outcome | StoreRejection]:
    """Answer each arrival; the second one of a key is a duplicate of the first."""
    answers = dict(decision.outcomes)
    outcomes: list[Outcome | StoreRejection] = []
    for arrival in arrivals:
        key = key_of(arrival)
        answer = answers[key]
        outcomes.append(answer)
        answers[key] = answer if isinstance(answer, StoreRejection) else as_duplicate(answer)
    return outcomes
